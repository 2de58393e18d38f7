"""The server: takes commands and streams a thread's events. It runs no graph itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from compose import Installation, open_installation
from runtime.api import about, assistants, crons, runs, state, store, streams, threads
from runtime.api.call import Call, EventStream, Operation, Reply
from runtime.api.event_response import EventResponse
from runtime.api.openapi import DOCS_PAGE, describe
from runtime.auth import LOCAL, SUBPROTOCOL, authenticate, check_origin
from runtime.context import User
from runtime.errors import AppError, BodyTooLarge, InvalidInput, PermissionDenied, leaf
from runtime.events import Logged, encode_json
from runtime.failure import known, status_of
from runtime.frames import failure, parse_frame, success
from runtime.keys import check_thread_id
from runtime.project import Project
from runtime.session import Session, open_session
from runtime.settings import Settings

OPERATIONS = [
    Operation("GET", "/ok", about.ok, public=True),
    Operation("GET", "/info", about.info),
    Operation("POST", "/assistants", assistants.create_assistant),
    Operation("POST", "/assistants/search", assistants.search_assistants),
    Operation("POST", "/assistants/count", assistants.count_assistants),
    Operation("GET", "/assistants/{assistant_id}", assistants.get_assistant),
    Operation("PATCH", "/assistants/{assistant_id}", assistants.update_assistant),
    Operation("DELETE", "/assistants/{assistant_id}", assistants.delete_assistant),
    Operation("POST", "/assistants/{assistant_id}/versions", assistants.list_versions),
    Operation("POST", "/assistants/{assistant_id}/latest", assistants.set_latest_version),
    Operation("GET", "/assistants/{assistant_id}/graph", assistants.draw_graph),
    Operation("GET", "/assistants/{assistant_id}/schemas", assistants.get_schemas),
    Operation("GET", "/assistants/{assistant_id}/subgraphs", assistants.list_subgraphs),
    Operation("GET", "/assistants/{assistant_id}/subgraphs/{namespace}", assistants.list_subgraphs),
    Operation("POST", "/threads", threads.create),
    Operation("POST", "/threads/search", threads.search),
    Operation("POST", "/threads/count", threads.count),
    Operation("POST", "/threads/prune", threads.prune),
    Operation("GET", "/threads/{thread_id}", threads.get),
    Operation("PATCH", "/threads/{thread_id}", threads.patch),
    Operation("DELETE", "/threads/{thread_id}", threads.delete),
    Operation("POST", "/threads/{thread_id}/copy", threads.copy),
    Operation("POST", "/threads/{thread_id}/stream/events", streams.events),
    Operation("GET", "/threads/{thread_id}/state", state.get),
    Operation("POST", "/threads/{thread_id}/state", state.update),
    Operation("POST", "/threads/{thread_id}/state/checkpoint", state.get_at),
    Operation("GET", "/threads/{thread_id}/state/{checkpoint_id}", state.get),
    Operation("GET", "/threads/{thread_id}/history", state.history_by_query),
    Operation("POST", "/threads/{thread_id}/history", state.history),
    Operation("GET", "/threads/{thread_id}/runs", runs.newest),
    Operation("POST", "/threads/{thread_id}/runs", runs.create),
    Operation("POST", "/threads/{thread_id}/runs/wait", runs.wait),
    Operation("POST", "/threads/{thread_id}/runs/stream", streams.run_stream),
    Operation("POST", "/threads/{thread_id}/runs/crons", crons.create_cron),
    Operation("GET", "/threads/{thread_id}/runs/{run_id}", runs.get),
    Operation("DELETE", "/threads/{thread_id}/runs/{run_id}", runs.delete),
    Operation("GET", "/threads/{thread_id}/runs/{run_id}/join", runs.join),
    Operation("GET", "/threads/{thread_id}/runs/{run_id}/stream", streams.join_stream),
    Operation("POST", "/threads/{thread_id}/runs/{run_id}/cancel", runs.cancel),
    Operation("POST", "/runs", runs.create_stateless),
    Operation("POST", "/runs/wait", runs.wait_stateless),
    Operation("POST", "/runs/stream", streams.run_stream_stateless),
    Operation("POST", "/runs/batch", runs.create_batch),
    Operation("POST", "/runs/cancel", runs.cancel_many),
    Operation("POST", "/runs/crons", crons.create_cron),
    Operation("POST", "/runs/crons/search", crons.search_crons),
    Operation("POST", "/runs/crons/count", crons.count_crons),
    Operation("GET", "/runs/crons/{cron_id}", crons.get_cron),
    Operation("PATCH", "/runs/crons/{cron_id}", crons.update_cron),
    Operation("DELETE", "/runs/crons/{cron_id}", crons.delete_cron),
    Operation("PUT", "/store/items", store.put_item),
    Operation("GET", "/store/items", store.get_item),
    Operation("DELETE", "/store/items", store.delete_item),
    Operation("POST", "/store/items/search", store.search_items),
    Operation("POST", "/store/namespaces", store.list_namespaces),
]


def create_app(settings: Settings, project: Project | None = None) -> Starlette:
    """The application; it opens everything in its lifespan and closes it in reverse order."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Any]]:
        try:
            async with open_installation(
                settings, own_index=True, work=settings.worker_inline, project=project
            ) as installation:
                yield {"installation": installation}
        except BaseException as exc:
            app.state.failure = leaf(exc)  # uvicorn only logs it; `serving` raises it.
            raise

    cors = Middleware(
        CORSMiddleware,
        allow_origins=settings.origins,
        allow_credentials=True,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=["Location", "Content-Location", "x-pagination-total", "x-pagination-next"],
    )
    return Starlette(
        routes=_routes(),
        lifespan=lifespan,
        middleware=[cors] if settings.origins else [],
        exception_handlers={Exception: _error, AppError: _error},
    )


def _routes() -> list[BaseRoute]:
    return [
        Route("/", HTMLResponse(DOCS_PAGE)),
        Route("/docs", HTMLResponse(DOCS_PAGE)),
        Route("/openapi.json", Response(_openapi(), media_type="application/json")),
        Route("/threads/{thread_id}/commands", command, methods=["POST"]),
        WebSocketRoute("/threads/{thread_id}/stream/events", stream_events),
        *(Route(op.path, _endpoint(op), methods=[op.method]) for op in OPERATIONS),
    ]


def _endpoint(operation: Operation) -> Any:
    async def endpoint(request: Request) -> Response:
        try:
            user = LOCAL if operation.public else _user(request)
            call = Call(user, request.path_params, request.query_params, request.headers)
            engine = _installation(request).engine
            return _response(await operation.answer(engine, call, await _body(request)))
        except Exception as exc:  # Starlette would answer too, and then have the connection closed.
            return await _error(request, exc)

    return endpoint


async def command(request: Request) -> Response:
    """A command by HTTP. Its failure is an answer like another (200); only a malformed one is a 400."""
    user, thread_id = _user(request), check_thread_id(request.path_params["thread_id"])
    try:
        command_id, method, params = parse_frame(await _body(request))
    except InvalidInput as exc:
        return Response(failure(None, exc), 400, media_type="application/json")
    key = request.headers.get("idempotency-key")
    if key and method == "run.start":
        params = {"idempotency_key": key, **params}
    try:
        result, seq = await _installation(request).engine.commands.run(user, thread_id, method, params)
    except PermissionDenied:
        raise
    except Exception as exc:  # A command's failure is an answer like another.
        return Response(failure(command_id, known(exc)), media_type="application/json")
    return Response(success(command_id, result, seq), media_type="application/json")


async def stream_events(socket: WebSocket) -> None:
    """A thread's events, and commands as frames, on one socket."""
    await socket.accept(SUBPROTOCOL if SUBPROTOCOL in socket.scope["subprotocols"] else None)
    try:
        user, thread_id = _user(socket), check_thread_id(socket.path_params["thread_id"])
        await _installation(socket).engine.threads.find(user, thread_id)
        await _stream(socket, user, thread_id)
    except Exception as exc:  # Like a run's, a socket's fault becomes one error that its client is told.
        if isinstance(leaf(exc), WebSocketDisconnect):
            return
        error = known(exc)
        await socket.send_text(failure(None, error))
        status = status_of(error)
        await socket.close(1011 if status >= 500 else 4000 + status, error.code)


async def _stream(socket: WebSocket, user: User, thread_id: str) -> None:
    engine = _installation(socket).engine

    async def send(logged: Logged) -> None:
        await socket.send_text(logged.event.wire(logged.seq))

    async with open_session(user, thread_id, engine, send) as session:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            await socket.send_text(await _answer(socket, session, user, thread_id, message.get("text")))


async def _answer(socket: WebSocket, session: Session, user: User, thread_id: str, frame: str | None) -> str:
    command_id: Any = None
    try:
        if frame is None:
            raise InvalidInput("a binary frame is no command; send JSON as text")
        command_id, method, params = parse_frame(frame)
        if method.startswith("subscription."):
            return success(command_id, await session.command(method, params), session.sent_seq)
        result, seq = await _installation(socket).engine.commands.run(user, thread_id, method, params)
        return success(command_id, result, seq)
    except WebSocketDisconnect:
        raise
    except Exception as exc:  # The socket lives on, whatever a command did.
        return failure(command_id, known(exc))


def _response(answer: Any) -> Response:
    if isinstance(answer, EventStream):
        return EventResponse(answer)
    reply = answer if isinstance(answer, Reply) else Reply(answer)
    body = b"" if reply.status in (202, 204) else encode_json(reply.value)
    return Response(body, reply.status, dict(reply.headers), media_type="application/json")


def _openapi() -> str:
    return encode_json(describe(OPERATIONS, version("cornerman")))


def _installation(connection: HTTPConnection) -> Installation:
    installation: Installation = connection.state.installation
    return installation


def _user(connection: HTTPConnection) -> User:
    place = _installation(connection)
    check_origin(connection.headers, place.users, place.settings.origins)
    return authenticate(connection.headers, connection.cookies, place.users)


async def _body(request: Request) -> bytes:
    """Raises BodyTooLarge without having read more than the limit."""
    limit, body = _installation(request).settings.max_frame_bytes, bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise BodyTooLarge(f"the body has more than {limit} bytes", limit=limit)
    return bytes(body)


async def _error(request: HTTPConnection, exc: Exception) -> Response:
    error = known(exc)
    body = {"detail": str(error), "code": error.code, "correlation_id": error.run_id}
    return Response(encode_json(body), status_of(error), media_type="application/json")
