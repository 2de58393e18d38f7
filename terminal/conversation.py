"""A conversation with the server through the stock LangGraph SDK, over its WebSocket."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any, Literal, cast

import anyio
import httpx
from langgraph_sdk import get_client
from langgraph_sdk.errors import NotFoundError

from runtime.errors import AppError, Unauthenticated

CHANNELS = ["messages", "tools", "lifecycle", "input", "custom", "values"]
_STARTED_TIMEOUT_S = 30.0

Kind = Literal["start", "token", "end", "lost", "custom", "tool", "tool_done", "values", "failed"]


@dataclass(frozen=True)
class Piece:
    """What happened in a turn."""

    kind: Kind
    text: str = ""
    """The token, the tool's name, or the failure's message."""
    data: dict[str, Any] | None = None
    """The custom event, the tool's input or output, the values, or the failure."""
    seq: int = 0


@dataclass(frozen=True)
class Question:
    """An interrupt that waits for an answer."""

    interrupt_id: str
    value: Any


class RunRefused(AppError):
    """The server refused the command."""

    code = "run_refused"


class Conversation:
    """One thread of one assistant. Turns follow each other; `ask` decides what interrupts are answered."""

    def __init__(self, url: str, assistant: str, thread_id: str, api_key: str | None = None) -> None:
        self.thread_id = thread_id
        self.assistant = assistant
        self.run_id = ""
        """The turn's run, '' until it has begun."""
        self._cancel_wanted = False
        # The SDK sends its key with HTTP only; a stream's own headers go with the WebSocket too.
        self._headers = {"x-api-key": api_key} if api_key else None
        self._client = get_client(url=url, api_key=api_key, timeout=_STARTED_TIMEOUT_S)

    async def turn(self, payload: dict[str, Any]) -> AsyncGenerator[Piece | Question, None]:
        """Sends one input; yields what comes, at its end the interrupts. Raises RunRefused, Unauthenticated.

        After a question, `answer` goes on.
        """
        async for piece in self._run(lambda thread: thread.run.start(input=payload)):
            yield piece

    async def answer(self, question: Question, response: Any) -> AsyncGenerator[Piece | Question, None]:
        """Answers a question; yields what comes of it."""

        async def respond(thread: Any) -> Any:
            with anyio.fail_after(_STARTED_TIMEOUT_S):
                # The SDK's watcher fills the list and offers nothing to wait on, hence the polling.
                while not _asks(thread, question):  # noqa: ASYNC110
                    await anyio.sleep(0.01)
            return await thread.run.respond(response, interrupt_id=question.interrupt_id)

        async for piece in self._run(respond):
            yield piece

    async def cancel(self) -> None:
        """Cancels the turn's run, as soon as it has begun; a run that is over stays over."""
        self._cancel_wanted = True
        if self.run_id:
            with suppress(NotFoundError):
                await self._client.runs.cancel(self.thread_id, self.run_id, wait=False)

    async def close(self) -> None:
        await self._client.aclose()

    async def _run(self, begin: Callable[[Any], Any]) -> AsyncGenerator[Piece | Question, None]:
        session = self._client.threads.stream(
            self.thread_id, assistant_id=self.assistant, headers=self._headers, transport="websocket"
        )
        self.run_id, self._cancel_wanted = "", False
        async with session as thread:
            self.run_id = (await _begun(begin(thread)))["run_id"]
            if self._cancel_wanted:
                await self.cancel()
            questions: list[Question] = []
            ended = False
            # A subscription opened after the start replays from the start: the SDK passes the seq before it.
            async with aclosing(cast("Any", thread.subscribe(CHANNELS))) as events:
                async for event in events:
                    if event["method"] == "input.requested":
                        data = event["params"]["data"]
                        questions.append(Question(data["interrupt_id"], data["value"]))
                    elif piece := read_piece(event):
                        yield piece
                    if ended := ends_turn(event):
                        break
            if not ended and not questions:
                raise RunRefused("the connection to the server was lost; the conversation stays where it is")
            for question in questions:
                yield question


def _asks(thread: Any, question: Question) -> bool:
    return any(i["interrupt_id"] == question.interrupt_id for i in thread.interrupts)


async def _begun(command: Any) -> dict[str, Any]:
    try:
        return cast("dict[str, Any]", await command)
    except httpx.HTTPStatusError as exc:
        if exc.response.status_code == 401:
            raise Unauthenticated(
                "the server refused the API key; pass --api-key or set CORNERMAN_API_KEY"
            ) from exc
        raise RunRefused(f"the server answered {exc.response.status_code}") from exc
    except httpx.TransportError as exc:
        raise RunRefused("the server cannot be reached; is it still running?") from exc
    except RuntimeError as exc:  # The SDK raises it for an error envelope, with code and message in its text.
        raise RunRefused(str(exc)) from exc


def ends_turn(event: dict[str, Any]) -> bool:
    """True for the root lifecycle that ends or pauses the run."""
    if event["method"] != "lifecycle" or event["params"]["namespace"]:
        return False
    return event["params"]["data"]["event"] in ("completed", "failed", "interrupted")


def read_piece(event: dict[str, Any]) -> Piece | None:
    """What an event means to a person, None for the rest."""
    method, data, seq = event["method"], event["params"]["data"], event["seq"]
    if method == "messages":
        return _message_piece(data, seq)
    if method == "custom":
        return Piece("custom", data=data, seq=seq)
    if method == "tools":
        return _tool_piece(data, seq)
    if method == "values" and not event["params"]["namespace"]:
        return Piece("values", data=data, seq=seq)
    if method == "lifecycle" and data["event"] == "failed" and not event["params"]["namespace"]:
        return Piece("failed", data.get("error", ""), data, seq)
    return None


def _message_piece(data: dict[str, Any], seq: int) -> Piece | None:
    what = data["event"]
    if what == "content-block-delta" and data["delta"]["type"] == "text-delta":
        return Piece("token", data["delta"]["text"], seq=seq)
    kinds: dict[str, Kind] = {"message-start": "start", "message-finish": "end", "error": "lost"}
    return Piece(kinds[what], data.get("message", ""), seq=seq) if what in kinds else None


def _tool_piece(data: dict[str, Any], seq: int) -> Piece | None:
    kinds: dict[str, Kind] = {"tool-started": "tool", "tool-finished": "tool_done", "tool-error": "tool_done"}
    kind = kinds.get(data["event"])
    return Piece(kind, data.get("tool_name", ""), data, seq) if kind else None
