"""Threads: rows, search, copies, removal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import structlog
from langgraph.types import StateSnapshot
from pydantic import Field
from uuid_utils import uuid7

from runtime.api.call import MAX_PAGE, Body, Call, Reply
from runtime.api.listing import Listing, cut, selected
from runtime.api.thread_access import changed_thread, read_thread
from runtime.documents import contains
from runtime.engine import Engine
from runtime.errors import (
    CheckpointLost,
    Conflict,
    GraphUnavailable,
    InvalidInput,
    NotSupported,
    ThreadBusy,
    UnknownAssistant,
)
from runtime.json_text import JsonObject
from runtime.keys import check_thread_id, thread_key
from runtime.state_view import state_json
from runtime.threads import ThreadRow, row_json
from runtime.waiting import cancel_if_there, settled

_CANCEL_WAIT_S = 20
Sort = Literal["thread_id", "status", "created_at", "updated_at", "state_updated_at"]

log = structlog.get_logger()


class ThreadCreate(Body):
    thread_id: str | None = None
    metadata: JsonObject | None = None
    if_exists: Literal["raise", "do_nothing"] = "raise"
    supersteps: list[Mapping[str, Any]] | None = None
    ttl: Any = None


class ThreadPatch(Body):
    metadata: JsonObject | None = None


class ThreadFilter(Body):
    metadata: JsonObject = Field(default_factory=dict)
    values: JsonObject = Field(default_factory=dict)
    status: Literal["idle", "busy", "interrupted", "error"] | None = None
    ids: list[str] | None = None


class ThreadSearch(ThreadFilter, Listing):
    sort_by: Sort = "updated_at"


class ThreadPrune(Body):
    thread_ids: list[str] = Field(max_length=MAX_PAGE)
    strategy: Literal["delete", "keep_latest"] = "delete"


async def create(engine: Engine, call: Call, body: ThreadCreate) -> dict[str, Any]:
    """Create a thread."""
    if body.supersteps or body.ttl:
        raise NotSupported(f"{'supersteps' if body.supersteps else 'ttl'} is not supported; leave it out")
    thread_id = check_thread_id(body.thread_id) if body.thread_id else None
    graph = str((body.metadata or {}).get("graph_id") or "")
    if graph and graph not in engine.catalog:
        raise InvalidInput(f"no graph {graph!r}; known: {engine.catalog.names}")
    row, created = await engine.threads.create(call.user, thread_id, body.metadata, graph)
    if not created and body.if_exists == "raise":
        raise Conflict(f"thread {row.thread_id!r} exists already")
    return row_json(row)


async def get(engine: Engine, call: Call) -> dict[str, Any]:
    """A thread with its values."""
    return await _whole(engine, call, await read_thread(engine, call))


async def patch(engine: Engine, call: Call, body: ThreadPatch) -> dict[str, Any]:
    """Add to a thread's metadata."""
    row = await changed_thread(engine, call)
    return row_json(await engine.threads.patch(call.user, row.thread_id, body.metadata or {}))


async def delete(engine: Engine, call: Call) -> Reply:
    """Delete a thread with its state, runs and events; a run in flight is cancelled first."""
    await _delete(engine, call, await changed_thread(engine, call))
    return Reply(status=204)


async def search(engine: Engine, call: Call, body: ThreadSearch) -> Reply:
    """Threads by metadata, status, values or ids, the most recently used first."""
    found = {row.thread_id: row for row in await _found(engine, call, body)}
    rows, headers = cut([row_json(row) for row in found.values()], body, "thread_id")
    if body.select is None or {"values", "interrupts"} & set(body.select):
        rows = [await _listed(engine, call, found[row["thread_id"]]) for row in rows]
    return Reply(selected(rows, body), headers=headers)


async def count(engine: Engine, call: Call, body: ThreadFilter) -> int:
    """How many threads there are of a kind."""
    return len(await _found(engine, call, body))


async def copy(engine: Engine, call: Call) -> dict[str, Any]:
    """Copy a thread's state and history to a new thread of the caller."""
    row = await read_thread(engine, call)
    if row.active:
        raise ThreadBusy("a run is in flight on the thread; copy it when it has ended")
    new_id = str(uuid7())
    await engine.saver.acopy_thread(
        thread_key(call.user.tenant, row.thread_id), thread_key(call.user.tenant, new_id)
    )
    await engine.threads.create(call.user, new_id, row.metadata, row.graph)
    await engine.threads.set_status(call.user, new_id, row.status, row.asked)
    return await _whole(engine, call, await engine.threads.get(call.user, new_id))


async def prune(engine: Engine, call: Call, body: ThreadPrune) -> dict[str, Any]:
    """Delete threads, or all of their history but the latest state."""
    for thread_id in body.thread_ids:
        row = await engine.threads.own(call.user, check_thread_id(thread_id))
        if body.strategy == "delete":
            await _delete(engine, call, row)
        else:
            await engine.saver.aprune([thread_key(call.user.tenant, thread_id)])
    return {"pruned_count": len(body.thread_ids)}


async def _delete(engine: Engine, call: Call, row: ThreadRow) -> None:
    thread = thread_key(call.user.tenant, row.thread_id)
    for status in ("pending", "running"):
        for run in await engine.runs.newest(thread, MAX_PAGE, status=status):
            await cancel_if_there(engine, thread, run.run_id)
            await settled(engine, thread, run.run_id, within_s=_CANCEL_WAIT_S)
    await engine.removal.remove(thread)


async def _whole(engine: Engine, call: Call, row: ThreadRow) -> dict[str, Any]:
    known = row.graph in engine.catalog
    return row_json(row, state_json(await engine.state.get(call.user, row) if known else None))


async def _listed(engine: Engine, call: Call, row: ThreadRow) -> dict[str, Any]:
    return row_json(row, state_json(await _readable(engine, call, row)))


async def _readable(engine: Engine, call: Call, row: ThreadRow) -> StateSnapshot | None:
    """None for a thread whose state cannot be read now: it must not spoil the list that it stands in."""
    try:
        return await engine.state.get(call.user, row)
    except (GraphUnavailable, UnknownAssistant, CheckpointLost) as exc:
        log.warning("thread.unreadable", thread_id=row.thread_id, graph=row.graph, code=exc.code)
        return None


async def _found(engine: Engine, call: Call, body: ThreadFilter) -> list[ThreadRow]:
    ids = {check_thread_id(thread_id) for thread_id in body.ids} if body.ids is not None else None
    found = []
    async for row in engine.threads.all(call.user):
        about = row_json(row)["metadata"]
        if (
            body.status in (None, row.status)
            and (ids is None or row.thread_id in ids)
            and contains(about, body.metadata)
            and (not body.values or await _has_values(engine, call, row, body.values))
        ):
            found.append(row)
    return found


async def _has_values(engine: Engine, call: Call, row: ThreadRow, wanted: Mapping[str, Any]) -> bool:
    state = await _readable(engine, call, row)
    values = state.values if state else None
    return isinstance(values, dict) and all(values.get(key) == value for key, value in wanted.items())
