"""The protocol's commands, for the socket and for HTTP alike: a frame in, a response out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from runtime.context import User
from runtime.errors import (
    InvalidInput,
    NoSuchInterrupt,
    NoSuchRun,
    NotFound,
    NotSupported,
    PermissionDenied,
    ThreadBusy,
    UnknownAssistant,
    UnknownCommand,
)
from runtime.execution import Graph
from runtime.keys import thread_key
from runtime.run_record import InputKind
from runtime.runs import Runs, Started, Strategy
from runtime.threads import Threads

Params = dict[str, Any]
HandOver = Callable[[str, str], Awaitable[None]]
"""Puts a thread's run before the workers."""

_STRATEGIES: Mapping[str, Strategy] = {s: s for s in ("reject", "enqueue", "interrupt")}


class Commands:
    """Starts, answers and cancels runs. Every path of every transport ends here."""

    def __init__(
        self,
        runs: Runs,
        threads: Threads,
        graphs: Mapping[str, Graph],
        hand_over: HandOver,
        max_message_chars: int,
    ) -> None:
        self._runs = runs
        self._threads = threads
        self._graphs = graphs
        self._hand_over = hand_over
        self._max_message_chars = max_message_chars

    async def run(self, user: User, thread_id: str, method: str, params: Params) -> tuple[Params, int]:
        """The command's result and `applied_through_seq`: the thread's last seq before it took effect.

        Raises what the command says, and InvalidInput for an unknown one.
        """
        if method == "run.start":
            started = await self.start(user, thread_id, params)
        elif method == "input.respond":
            started = await self.respond(user, thread_id, params)
        else:
            raise UnknownCommand(f"unknown command {method!r}")
        return {"run_id": started.run_id}, started.seq_before

    async def start(self, user: User, thread_id: str, params: Params) -> Started:
        """Starts a run. Raises InvalidInput, NotFound (assistant), PermissionDenied and ThreadBusy."""
        assistant = self._assistant(params.get("assistant_id"))
        payload = params.get("input")
        self._check_input(payload)
        config = _object(params, "config")
        checkpoint_id = _object(config, "configurable").get("checkpoint_id")
        await self._check_checkpoint(user, thread_id, assistant, checkpoint_id)
        strategy = params.get("multitask_strategy") or params.get("multitaskStrategy") or "enqueue"
        if strategy not in _STRATEGIES:
            raise NotSupported(f"multitask strategy {strategy!r}; known: {sorted(_STRATEGIES)}")
        return await self._begin(
            user,
            thread_id,
            assistant,
            payload,
            strategy=_STRATEGIES[strategy],
            checkpoint_id=checkpoint_id,
            metadata=_plain(_object(params, "metadata")),
        )

    async def respond(self, user: User, thread_id: str, params: Params) -> Started:
        """Answers one interrupt or several. Raises NoSuchInterrupt and NoSuchRun."""
        row = await self._threads.find(user, thread_id)
        if row is None or not row.assistant:
            raise NoSuchRun("nothing ran on this thread")
        answers = _answers(params)
        if row.assistant not in self._graphs:
            raise UnknownAssistant(f"the graph {row.assistant!r} of this thread is gone")
        state = await self._graphs[row.assistant].aget_state(
            {"configurable": {"thread_id": thread_key(user.tenant, thread_id)}}
        )
        open_ = {interrupt.id for interrupt in state.interrupts}
        if row.status != "interrupted" or not answers.keys() <= open_:
            unknown = sorted(answers.keys() - open_) or sorted(answers)
            raise NoSuchInterrupt(f"Unknown or already-consumed interrupt: {', '.join(unknown)}")
        try:
            return await self._begin(
                user, thread_id, row.assistant, answers, kind="resume", strategy="reject"
            )
        except ThreadBusy as exc:
            raise NoSuchInterrupt(f"Already-consumed interrupt: {', '.join(sorted(answers))}") from exc

    async def cancel(self, user: User, thread_id: str, run_id: str) -> None:
        """Tells a run to stop. Raises NotFound when there is no such run or it is over."""
        row = await self._threads.get(user, thread_id)
        if row.owner != user.subject:
            raise PermissionDenied("this thread belongs to another user")
        key = thread_key(user.tenant, thread_id)
        cancelled, following = await self._runs.cancel(key, run_id)
        if not cancelled:
            raise NotFound("No runs found to cancel.")
        if following != run_id:
            await self._hand_over(key, following)

    async def _begin(
        self,
        user: User,
        thread_id: str,
        assistant: str,
        payload: Any,
        *,
        strategy: Strategy,
        kind: InputKind = "input",
        checkpoint_id: str | None = None,
        metadata: Params | None = None,
    ) -> Started:
        key = thread_key(user.tenant, thread_id)
        started = await self._runs.start(
            key,
            user,
            assistant,
            payload,
            kind=kind,
            strategy=strategy,
            checkpoint_id=checkpoint_id,
            metadata=metadata,
        )
        await self._threads.touch(user, thread_id, assistant)
        await self._hand_over(key, started.active)
        return started

    async def _check_checkpoint(self, user: User, thread_id: str, assistant: str, given: Any) -> None:
        if given is None:
            return
        if not isinstance(given, str):
            raise InvalidInput(f"checkpoint_id must be a string, not {type(given).__name__}")
        place = {"thread_id": thread_key(user.tenant, thread_id), "checkpoint_id": given}
        state = await self._graphs[assistant].aget_state({"configurable": place})
        if state.created_at is None:
            raise InvalidInput(f"no checkpoint {given!r} on this thread")

    def _assistant(self, name: Any) -> str:
        if not isinstance(name, str) or not name:
            raise InvalidInput("assistant_id is required")
        if name not in self._graphs:
            raise UnknownAssistant(f"no graph {name!r}; known: {sorted(self._graphs)}")
        return name

    def _check_input(self, payload: Any) -> None:
        if payload is None:
            return
        if not isinstance(payload, dict):
            raise InvalidInput(f"input must be an object or null, not {type(payload).__name__}")
        messages = payload.get("messages", [])
        if payload.keys() == {"messages"} and not messages:
            raise InvalidInput("the message is empty")
        for message in messages if isinstance(messages, list) else [messages]:
            content = message.get("content") if isinstance(message, dict) else message
            if not _text(content).strip():
                raise InvalidInput("the message is empty, or holds no text")
            size = len(_text(content))
            if size > self._max_message_chars:
                raise InvalidInput(
                    f"the message has {size} characters; at most {self._max_message_chars} are allowed",
                    size=size,
                    limit=self._max_message_chars,
                )


def _text(content: Any) -> str:
    """The text of a message's content: a string, or blocks of which some are text."""
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else []
    parts = [
        block if isinstance(block, str) else block.get("text")
        for block in blocks
        if isinstance(block, str | dict)
    ]
    return "".join(part for part in parts if isinstance(part, str))


def _object(params: Params, name: str) -> Params:
    value = params.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInput(f"{name} must be an object")
    return value


def _plain(metadata: Params) -> Params:
    """What LangGraph keeps with a checkpoint."""
    return {k: v for k, v in metadata.items() if isinstance(v, str | int | float | bool)}


def _answers(params: Params) -> dict[str, Any]:
    several = params.get("responses")
    entries = several if isinstance(several, list) and several else [params]
    answers = {}
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("interrupt_id"), str):
            raise InvalidInput("interrupt_id is required")
        if "response" not in entry:
            raise InvalidInput("response is required")
        answers[entry["interrupt_id"]] = entry["response"]
    return answers
