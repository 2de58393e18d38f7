"""The OpenAPI description of the operations, and a page that shows it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args, get_type_hints

from pydantic.json_schema import models_json_schema

from runtime.api.call import EventStream, Operation, Reply

DOCS_PAGE = (Path(__file__).parent / "docs.html").read_text()
"""A page by itself: it reads `openapi.json` beside it and lists the operations."""
_REF = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"\{(\w+)\}")
_JSON = "application/json"
_ERROR = {
    "type": "object",
    "description": "What went wrong.",
    "properties": {
        "detail": {"type": "string", "description": "In words."},
        "code": {"type": "string", "description": "Stable; for programs."},
        "correlation_id": {
            "type": ["string", "null"],
            "description": "What the server's log knows it by; of a run, its id.",
        },
    },
    "required": ["detail", "code"],
}
_SOCKET_PATH = "/threads/{thread_id}/stream/events"
_SOCKET = """Upgrades to a WebSocket, which OpenAPI cannot describe. Frames are JSON text.

The client sends commands: `{"id": 1, "method": "subscription.subscribe", "params": {"channels": ["tools"]}}`.
It is answered `{"type": "success", "id": 1, "result": …}` or `{"type": "error", "id": 1, "error": …,
"message": …}`. Events of the channels that it subscribed to come as `{"type": "event", "event_id": …,
"seq": …, "method": …, "params": {"namespace": […], "timestamp": …, "data": …}}`; `since` in a subscription
asks for what came after that `seq`. A rejected socket is closed with 4000 plus the HTTP status."""
_COMMANDS_PATH = "/threads/{thread_id}/commands"
_COMMANDS = """One command of the protocol, as the socket takes it: `run.start`, `run.cancel`,
`input.respond`, `input.inject`, `state.get`, `state.listCheckpoints`, `state.fork`, `agent.getTree`. Its
failure is an answer like another, with status 200 and `type` "error"."""
_SUMMARY_END = re.compile(r"\n\s*\n")


def describe(operations: Sequence[Operation], version: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of these operations and the WebSocket."""
    models = sorted({op.body for op in operations if op.body}, key=lambda model: model.__name__)
    bodies, shared = models_json_schema([(model, "validation") for model in models], ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {
        _SOCKET_PATH: {"get": _socket()},
        _COMMANDS_PATH: {"post": _commands()},
    }
    for operation in operations:
        schema = bodies[operation.body, "validation"] if operation.body else None
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schema)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Cornerman", "version": version},
        "paths": paths,
        "components": {
            "schemas": {"Error": _ERROR, **shared.get("$defs", {})},
            "securitySchemes": {"ApiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"}},
        },
        # Without configured keys, a server asks for none.
        "security": [{"ApiKey": []}, {}],
    }


def _operation(operation: Operation, body: dict[str, Any] | None) -> dict[str, Any]:
    text = inspect.getdoc(operation.function) or ""
    summary, *rest = _SUMMARY_END.split(text, maxsplit=1)
    described = {
        "operationId": _id(operation.method, operation.path),
        "tags": [_tag(operation.path)],
        "summary": " ".join(summary.split()).rstrip("."),
        "parameters": _parameters(operation.path),
        "responses": _responses(operation),
    }
    if rest:
        described["description"] = rest[0]
    if body:
        described["requestBody"] = {"content": {_JSON: {"schema": body}}}
    return described


def _id(method: str, path: str) -> str:
    return "_".join([method.lower(), *re.findall(r"\w+", path)])


def _tag(path: str) -> str:
    return path.split("/")[1] or "server"


def _parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(path)
    ]


def _responses(operation: Operation) -> dict[str, Any]:
    """By what the function says that it returns: a Reply chooses its status."""
    returned = get_type_hints(operation.function).get("return")
    kinds = get_args(returned) or (returned,)
    content: dict[str, Any] = {_JSON: {}}
    if EventStream in kinds:
        stream = {"text/event-stream": {"schema": {"type": "string"}}}
        content = stream if len(kinds) == 1 else {**content, **stream}
    status = "2XX" if Reply in kinds else "200"
    return {status: {"description": "Done.", "content": content}, "default": _refused()}


def _refused() -> dict[str, Any]:
    error = {"schema": {"$ref": _REF.format(model="Error")}}
    return {"description": "Refused, or failed.", "content": {_JSON: error}}


def _commands() -> dict[str, Any]:
    command = {
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "method": {"type": "string"},
            "params": {"type": "object"},
        },
        "required": ["id", "method"],
    }
    return {
        "operationId": _id("post", _COMMANDS_PATH),
        "tags": [_tag(_COMMANDS_PATH)],
        "summary": "A command of the protocol",
        "description": _COMMANDS,
        "parameters": _parameters(_COMMANDS_PATH),
        "requestBody": {"required": True, "content": {_JSON: {"schema": command}}},
        "responses": {
            "200": {"description": "Its result, or its error.", "content": {_JSON: {}}},
            "default": _refused(),
        },
    }


def _socket() -> dict[str, Any]:
    return {
        "operationId": _id("get", _SOCKET_PATH),
        "tags": [_tag(_SOCKET_PATH)],
        "summary": "Commands and events of a thread over a WebSocket",
        "description": _SOCKET,
        "parameters": _parameters(_SOCKET_PATH),
        "responses": {"101": {"description": "The socket is open."}},
    }
