"""Streams over HTTP: a thread's events, and a single run in the older protocol."""

from __future__ import annotations

from typing import Any, Literal

import anyio
from pydantic import Field

from runtime.api.call import Body, Call, EventStream, Reply, Write
from runtime.api.runs import RunCreate, location, start_on_thread, with_key
from runtime.api.thread_access import read_thread, thread_id_of
from runtime.engine import Engine
from runtime.errors import InvalidInput, NotFound, NotSupported
from runtime.events import Logged, encode_json
from runtime.filters import CHANNELS, parse_filter
from runtime.keys import thread_key
from runtime.older_protocol import MODES, OlderProtocol, sse
from runtime.run_record import ENDED, RunRecord
from runtime.session import Session, open_session
from runtime.waiting import cancel_if_there

_HEARTBEAT_S = 5.0
_WATCH_S = 1.0


class EventQuery(Body):
    channels: Any = None
    namespaces: Any = None
    depth: Any = None
    since: Any = None


class RunStream(RunCreate):
    stream_mode: str | list[str] = Field("values")
    stream_subgraphs: bool = False


async def events(engine: Engine, call: Call, body: EventQuery) -> EventStream | Reply:
    """A thread's events in LangGraph's v3 protocol; the stream stays open after a run has ended."""
    thread_id = thread_id_of(call)
    await engine.threads.find(call.user, thread_id)
    query = body.model_dump(exclude_none=True)
    try:
        parse_filter(query)
    except InvalidInput as exc:
        return Reply({"detail": str(exc), "code": exc.code}, 400)  # As LangGraph's server says it.

    async def run(write: Write) -> None:
        async def send(logged: Logged) -> None:
            await write(sse(logged.event.method, logged.event.wire(logged.seq), logged.seq))

        async with open_session(call.user, thread_id, engine, send) as session:
            await session.subscribe(query)
            await _beat(write)

    return EventStream(run)


async def run_stream(engine: Engine, call: Call, body: RunStream) -> EventStream:
    """Start a run on a thread and stream it in the older protocol."""
    _check_modes(body.stream_mode)
    run_id = await start_on_thread(engine, call, body)
    return await _follow(engine, call, thread_id_of(call), run_id, body)


async def run_stream_stateless(engine: Engine, call: Call, body: RunStream) -> EventStream:
    """Start a run on a thread of its own and stream it in the older protocol."""
    _check_modes(body.stream_mode)
    keep = body.on_completion == "keep"
    thread_id, started = await engine.commands.start_stateless(call.user, with_key(call, body), keep=keep)
    return await _follow(engine, call, thread_id, started.run_id, body)


async def join_stream(engine: Engine, call: Call) -> EventStream:
    """Stream a run that was started elsewhere, in the older protocol; `Last-Event-ID` resumes."""
    await read_thread(engine, call)
    modes = [mode for given in call.several("stream_mode") for mode in given.split(",")] or ["values"]
    _check_modes(modes)
    cancel: Literal["continue", "cancel"] = "cancel" if call.flag("cancel_on_disconnect") else "continue"
    options = RunStream(stream_mode=modes, on_disconnect=cancel)
    return await _follow(engine, call, thread_id_of(call), call.path["run_id"], options)


async def _follow(engine: Engine, call: Call, thread_id: str, run_id: str, options: RunStream) -> EventStream:
    thread = thread_key(call.user.tenant, thread_id)
    record = await engine.runs.find(thread, run_id)
    older = OlderProtocol(record, _modes(options.stream_mode), options.stream_subgraphs)
    since = _since(call, record)

    async def run(write: Write) -> None:
        done = anyio.Event()

        async def send(logged: Logged) -> None:
            for piece in older.feed(logged):
                await write(piece)
            if older.ended:
                done.set()

        try:
            async with open_session(call.user, thread_id, engine, send) as session:
                await write(sse("metadata", encode_json({"run_id": run_id, "attempt": 1})))
                await session.subscribe({"channels": sorted(CHANNELS), "since": since})
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(_beat, write)
                    tasks.start_soon(_watch, engine, session, run_id, done)
                    await done.wait()
                    tasks.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                if not older.ended and options.on_disconnect == "cancel":
                    await cancel_if_there(engine, thread, run_id)

    return EventStream(run, headers=location(thread_id, run_id))


async def _watch(engine: Engine, session: Session, run_id: str, done: anyio.Event) -> None:
    """Ends the stream of a run that no event ends: it was rolled back, or its end is no longer in the log."""
    while not done.is_set():
        try:
            ended = (await engine.runs.find(session.thread, run_id)).status in ENDED
        except NotFound:
            ended = True
        if ended and session.sent_seq >= await engine.events.last_seq(session.thread):
            done.set()
        await anyio.sleep(_WATCH_S)


async def _beat(write: Write) -> None:
    while True:
        await anyio.sleep(_HEARTBEAT_S)
        await write(": heartbeat\n\n")


def _since(call: Call, record: RunRecord) -> int:
    given = call.headers.get("last-event-id", "")
    return int(given) if given.isdigit() and int(given) >= record.seq_before else record.seq_before


def _modes(given: str | list[str]) -> list[str]:
    return [given] if isinstance(given, str) else given


def _check_modes(given: str | list[str]) -> None:
    unknown = sorted(set(_modes(given)) - MODES)
    if unknown:
        raise NotSupported(f"stream_mode {', '.join(unknown)} is not supported; known: {sorted(MODES)}")
