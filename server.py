"""The server: takes commands and streams a thread's events. It runs no graph itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import structlog
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from uuid_utils import uuid7

from compose import Installation, open_installation
from runtime.auth import authenticate, check_origin
from runtime.context import User
from runtime.errors import (
    AppError,
    InvalidInput,
    NotFound,
    PermissionDenied,
    ThreadBusy,
    Unauthenticated,
    leaf,
)
from runtime.events import encode_json
from runtime.execution import Graph
from runtime.failure import as_error, trail
from runtime.frames import failure, parse_frame, success
from runtime.keys import check_thread_id, thread_key
from runtime.run_record import run_json
from runtime.session import Session, open_session
from runtime.settings import Settings
from runtime.state_view import history_json, state_json
from runtime.threads import row_json

_STATUS = {Unauthenticated: 401, PermissionDenied: 403, NotFound: 404, ThreadBusy: 409, InvalidInput: 422}
_MAX_PAGE = 1_000

log = structlog.get_logger()


def create_app(settings: Settings) -> Starlette:
    """The application; it opens everything in its lifespan and closes it in reverse order."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Any]]:
        try:
            async with open_installation(
                settings, own_index=True, work=settings.worker_inline
            ) as installation:
                yield {"installation": installation}
        except BaseException as exc:
            app.state.failure = leaf(exc)  # uvicorn only logs it; `serving` raises it.
            raise

    return Starlette(
        routes=ROUTES,
        lifespan=lifespan,
        exception_handlers={Exception: _error, AppError: _error},
    )


async def info(request: Request) -> Response:
    _user(request)
    return _json({"name": "cornerman", "graphs": sorted(_installation(request).graphs)})


async def ok(request: Request) -> Response:
    return _json({"ok": True})


async def command(request: Request) -> Response:
    """A command by HTTP. Its failure is an answer like another (200); only a malformed one is a 400."""
    try:
        command_id, method, params = parse_frame(await request.body())
    except InvalidInput as exc:
        return Response(failure(None, exc), 400, media_type="application/json")
    place, user, thread_id = _installation(request), _user(request), _thread_id(request)
    try:
        result, seq = await place.commands.run(user, thread_id, method, params)
    except PermissionDenied:
        raise
    except Exception as exc:  # A command's failure is an answer like another.
        return Response(failure(command_id, _known(exc)), media_type="application/json")
    return Response(success(command_id, result, seq), media_type="application/json")


async def stream_events(socket: WebSocket) -> None:
    """A thread's events, and commands as frames, on one socket."""
    await socket.accept()
    try:
        user, thread_id = _user(socket), _thread_id(socket)
        await _installation(socket).threads.find(user, thread_id)
        await _stream(socket, user, thread_id)
    except Exception as exc:  # Like a run's, a socket's fault becomes one error that its client is told.
        if isinstance(leaf(exc), WebSocketDisconnect):
            return
        error = _known(exc)
        await socket.send_text(failure(None, error))
        status = _status(error)
        await socket.close(1011 if status >= 500 else 4000 + status, error.code)


async def _stream(socket: WebSocket, user: User, thread_id: str) -> None:
    place = _installation(socket)
    sending = anyio.Lock()

    async def send(text: str) -> None:
        async with sending:
            await socket.send_text(text)

    async with open_session(user, thread_id, place.events, place.hub, place.threads, send) as session:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            await send(await _answer(place, session, user, thread_id, message.get("text")))


async def _answer(
    place: Installation, session: Session, user: User, thread_id: str, frame: str | None
) -> str:
    command_id: Any = None
    try:
        if frame is None:
            raise InvalidInput("a binary frame is no command; send JSON as text")
        command_id, method, params = parse_frame(frame)
        if method.startswith("subscription."):
            return success(command_id, await session.command(method, params), session.sent_seq)
        result, seq = await place.commands.run(user, thread_id, method, params)
        return success(command_id, result, seq)
    except Exception as exc:  # The socket lives on, whatever a command did.
        return failure(command_id, _known(exc))


async def create_thread(request: Request) -> Response:
    place, user, body = _installation(request), _user(request), await _body(request)
    thread_id = check_thread_id(body["thread_id"]) if body.get("thread_id") else None
    row, created = await place.threads.create(user, thread_id)
    if not created and body.get("if_exists") != "do_nothing":
        raise ThreadBusy(f"thread {row.thread_id!r} exists already")
    return _json(row_json(row))


async def get_thread(request: Request) -> Response:
    return _json(row_json(await _installation(request).threads.get(_user(request), _thread_id(request))))


async def search_threads(request: Request) -> Response:
    body = await _body(request)
    for unknown in ("metadata", "status", "values", "ids"):
        if body.get(unknown):
            raise InvalidInput(f"threads cannot be searched by {unknown} yet")
    limit, offset = _limit(body.get("limit")), _number("offset", body.get("offset"), 0, 0)
    rows = await _installation(request).threads.newest(_user(request), limit, offset)
    return _json([row_json(row) for row in rows])


async def get_state(request: Request) -> Response:
    graph, key = await _graph(request)
    state = await state_json(graph, key, request.path_params.get("checkpoint_id"))
    if request.path_params.get("checkpoint_id") and state["created_at"] is None:
        raise NotFound(f"no checkpoint {request.path_params['checkpoint_id']!r} on this thread")
    return _json(state)


async def get_history(request: Request) -> Response:
    graph, key = await _graph(request)
    body = await _body(request)
    before = body.get("before") or {}
    if isinstance(before, dict):
        before = before.get("configurable", before).get("checkpoint_id")
    return _json(await history_json(graph, key, _limit(body.get("limit")), before))


async def list_runs(request: Request) -> Response:
    key = await _readable(request)
    runs = await _installation(request).runs.newest(key, _limit(request.query_params.get("limit")))
    return _json([run_json(run, _thread_id(request)) for run in runs])


async def get_run(request: Request) -> Response:
    key = await _readable(request)
    run = await _installation(request).runs.find(key, request.path_params["run_id"])
    return _json(run_json(run, _thread_id(request)))


async def cancel_run(request: Request) -> Response:
    place = _installation(request)
    await place.commands.cancel(_user(request), _thread_id(request), request.path_params["run_id"])
    return Response(status_code=202)


async def search_assistants(request: Request) -> Response:
    _user(request)
    graphs = _installation(request).graphs
    return _json([{"assistant_id": name, "graph_id": name, "name": name} for name in sorted(graphs)])


async def draw_graph(request: Request) -> Response:
    _user(request)
    graph = _installation(request).graph(request.path_params["assistant_id"])
    xray = request.query_params.get("xray", "false").lower()
    return _json(graph.get_graph(xray=xray not in ("false", "0")).to_json())


ROUTES = [
    Route("/", ok),
    Route("/info", info),
    Route("/ok", ok),
    Route("/threads", create_thread, methods=["POST"]),
    Route("/threads/search", search_threads, methods=["POST"]),
    Route("/threads/{thread_id}", get_thread),
    Route("/threads/{thread_id}/commands", command, methods=["POST"]),
    WebSocketRoute("/threads/{thread_id}/stream/events", stream_events),
    Route("/threads/{thread_id}/state", get_state),
    Route("/threads/{thread_id}/state/{checkpoint_id}", get_state),
    Route("/threads/{thread_id}/history", get_history, methods=["POST"]),
    Route("/threads/{thread_id}/runs", list_runs),
    Route("/threads/{thread_id}/runs/{run_id}", get_run),
    Route("/threads/{thread_id}/runs/{run_id}/cancel", cancel_run, methods=["POST"]),
    Route("/assistants/search", search_assistants, methods=["POST"]),
    Route("/assistants/{assistant_id}/graph", draw_graph),
]


def _installation(connection: HTTPConnection) -> Installation:
    installation: Installation = connection.state.installation
    return installation


def _user(connection: HTTPConnection) -> User:
    check_origin(connection.headers, _installation(connection).users)
    return authenticate(connection.headers, connection.cookies, _installation(connection).users)


def _thread_id(connection: HTTPConnection) -> str:
    return check_thread_id(connection.path_params["thread_id"])


async def _readable(request: Request) -> str:
    """The key of a thread that the user may read."""
    user, thread_id = _user(request), _thread_id(request)
    await _installation(request).threads.get(user, thread_id)
    return thread_key(user.tenant, thread_id)


async def _graph(request: Request) -> tuple[Graph, str]:
    """The graph that last ran on the thread, any graph before the first run, and the thread's key."""
    user, thread_id = _user(request), _thread_id(request)
    place = _installation(request)
    row = await place.threads.find(user, thread_id)
    if row is None:
        raise NotFound(f"no thread {thread_id!r}")
    return place.graph(row.assistant or next(iter(place.graphs))), thread_key(user.tenant, thread_id)


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError as exc:
        raise InvalidInput("Invalid JSON body") from exc
    if not isinstance(body, dict):
        raise InvalidInput("the body must be a JSON object")
    return body


def _limit(value: Any) -> int:
    return _number("limit", value, 10, 1)


def _number(name: str, value: Any, default: int, least: int) -> int:
    try:
        number = int(default if value is None else value)
    except (TypeError, ValueError) as exc:
        raise InvalidInput(f"{name} must be a number, not {value!r}") from exc
    if not least <= number <= _MAX_PAGE:
        raise InvalidInput(f"{name} must be from {least} to {_MAX_PAGE}, not {number}")
    return number


def _json(value: Any) -> Response:
    return Response(encode_json(value), media_type="application/json")


async def _error(request: HTTPConnection, exc: Exception) -> Response:
    error = _known(exc)
    body = {"detail": str(error), "code": error.code, "correlation_id": error.run_id}
    return Response(encode_json(body), _status(error), media_type="application/json")


def _known(exc: Exception) -> AppError:
    """The error that a client is told, with an id under which the log has what nobody foresaw."""
    error = as_error(exc)
    error.run_id = error.run_id or str(uuid7())
    if error.code in (AppError.code, "redis_unavailable"):
        log.warning("request.failed", code=error.code, correlation_id=error.run_id, trail=trail(exc))
    return error


def _status(error: AppError) -> int:
    known = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), None)
    return known or (503 if error.retryable else 500)
