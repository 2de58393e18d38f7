"""An OpenAI-compatible HTTP server on loopback for tests: a scripted model answers, faults come on demand."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

import anyio
from langchain_core.messages import AIMessage, convert_to_messages
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from runtime.scripted import MODEL_NAME, ScriptedModel
from tests.loopback import listening, serving
from tests.openai_wire import completion, events, finish, pieces

Fault = Literal[
    "401", "404", "context", "429", "500", "hang", "stall", "cut", "short", "length", "error", "garbage"
]
"""Statuses; a context that is too long; no answer; or half an answer and then comments only, a closed
connection, an end without a finish reason, the end at the token limit, an error, a chunk that is no JSON."""

_REFUSALS: Mapping[str, tuple[int, str]] = {
    "401": (401, "invalid_api_key"),
    "404": (404, "model_not_found"),
    "context": (400, "context_length_exceeded"),
    "429": (429, "rate_limit_exceeded"),
    "500": (500, "server_error"),
}

_ENDINGS: Mapping[str, str] = {
    "length": finish("length"),
    "error": 'data: {"error": {"message": "overloaded", "code": "overloaded"}}\n\n',
    "garbage": "data: {garbage\n\n",
}


class OpenAIServer:
    """The running server, as a test sees it."""

    def __init__(self, model: ScriptedModel, key: str | None, port: int) -> None:
        self.base_url = f"http://127.0.0.1:{port}/v1"
        self.calls: list[dict[str, Any]] = []
        """The bodies of all chat requests in their order, refused ones too."""
        self.connections: set[int] = set()
        """The clients' ports; one for each connection."""
        self._model = model
        self._key = key
        self._faults: deque[Fault] = deque()

    def fail_next(self, kind: Fault, times: int = 1) -> None:
        """The next `times` chat requests fail; those after them are answered."""
        self._faults.extend([kind] * times)

    async def models(self, request: Request) -> Response:
        """`GET /v1/models`."""
        if self._is_stranger(request):
            return _refusal("401")
        return JSONResponse({"object": "list", "data": [{"id": MODEL_NAME, "object": "model"}]})

    async def chat(self, request: Request) -> Response | _Body:
        """`POST /v1/chat/completions`, streamed or whole."""
        body = await request.json()
        self.calls.append(body)
        if request.client:
            self.connections.add(request.client.port)
        if self._is_stranger(request):
            # OpenAI's message repeats the key and others' the request: ours must not let them through.
            return _refusal("401", f"{request.headers.get('authorization')} {body['messages']}")
        fault = self._faults.popleft() if self._faults else None
        if fault is not None and fault in _REFUSALS:
            return _refusal(fault)
        if fault == "hang":
            await _disconnection(request.receive)
            return Response()
        if wrong := _what_is_wrong(body["messages"]):
            return JSONResponse({"error": {"message": wrong, "code": "invalid_value"}}, 400)
        message = await self._answer(body)
        if body.get("stream"):
            with_usage = (body.get("stream_options") or {}).get("include_usage", False)
            return _Body(list(events(message, with_usage)), "text/event-stream", fault)
        return _Body(pieces(json.dumps(completion(message))), "application/json", fault)

    def _is_stranger(self, request: Request) -> bool:
        return self._key is not None and request.headers.get("authorization") != f"Bearer {self._key}"

    async def _answer(self, body: dict[str, Any]) -> AIMessage:
        model = self._model.bind_tools(body.get("tools") or [])
        return await model.ainvoke(convert_to_messages(body["messages"]))


class _Body:
    """A response that is sent piece by piece, and may break in the middle."""

    def __init__(self, pieces: Sequence[str], media_type: str, fault: Fault | None) -> None:
        self._pieces = pieces
        self._media_type = media_type
        self._fault = fault

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", self._media_type.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        sent = len(self._pieces) // 2 if self._fault else len(self._pieces)
        for piece in self._pieces[:sent]:
            await send({"type": "http.response.body", "body": piece.encode(), "more_body": True})
        if self._fault == "cut":
            return  # uvicorn closes the connection of a body without an end.
        if self._fault == "stall":
            return await _only_comments(receive, send)
        rest = _ENDINGS.get(self._fault or "", "")
        await send({"type": "http.response.body", "body": rest.encode(), "more_body": False})


async def _only_comments(receive: Receive, send: Send) -> None:
    """Keeps the connection alive without another word, as endpoints do while a model thinks."""
    async with anyio.create_task_group() as tasks:

        async def leave() -> None:
            await _disconnection(receive)
            tasks.cancel_scope.cancel()

        tasks.start_soon(leave)
        while True:
            await send({"type": "http.response.body", "body": b": thinking\n\n", "more_body": True})
            await anyio.sleep(0.02)


async def _disconnection(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _refusal(kind: str, about: str = "") -> JSONResponse:
    status, code = _REFUSALS[kind]
    error = {"message": f"{code} {about}", "type": "invalid_request_error", "param": None, "code": code}
    # The client waits as long as this header says, so that its retries cost a test nothing.
    return JSONResponse({"error": error}, status, {"retry-after": "0", "retry-after-ms": "1"})


def _what_is_wrong(messages: Sequence[Mapping[str, Any]]) -> str:
    """Why OpenAI would refuse these messages, or ''. A scripted model alone would never notice."""
    open_calls: set[str] = set()
    for message in messages:
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_calls:
                return "a tool message must answer a tool call of the message before it"
            open_calls.remove(message["tool_call_id"])
        elif open_calls:
            return "each tool call must be answered before the next message"
        open_calls |= {call["id"] for call in message.get("tool_calls") or ()}
    if open_calls:
        return "each tool call must be answered"
    return "" if messages else "messages must not be empty"


@asynccontextmanager
async def openai_server(model: ScriptedModel, *, key: str | None = None) -> AsyncIterator[OpenAIServer]:
    """The server on a free port of loopback, in a thread of its own; with a `key`, others get a 401."""
    with listening() as (listener, port):
        server = OpenAIServer(model, key, port)
        routes = [
            Route("/v1/models", server.models),
            Route("/v1/chat/completions", server.chat, methods=["POST"]),
        ]
        async with serving(listener, routes):
            yield server
