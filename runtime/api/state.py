"""A thread's state: read, at a checkpoint, its history, and changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anyio
from pydantic import Field

from runtime.api.call import MAX_PAGE, Body, Call
from runtime.api.thread_access import changed_thread, read_thread, thread_of
from runtime.engine import Engine
from runtime.errors import NoSuchCheckpoint, NotFound
from runtime.state_view import checkpoint_json, state_json
from runtime.threads import ThreadRow

_REST_S = 0.1
_REST_POLL_S = 0.005


class CheckpointQuery(Body):
    checkpoint: Mapping[str, Any]
    subgraphs: bool = False


class StateUpdate(Body):
    values: Mapping[str, Any] | list[Mapping[str, Any]] | None = None
    as_node: str | None = None
    checkpoint: Mapping[str, Any] | None = None
    checkpoint_id: str | None = None


class HistoryQuery(Body):
    limit: int = Field(10, ge=1, le=MAX_PAGE)
    before: str | Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] | None = None
    checkpoint: Mapping[str, Any] | None = None


async def get(engine: Engine, call: Call) -> dict[str, Any]:
    """The state, at a checkpoint where one is named."""
    return await _state(engine, call, call.path.get("checkpoint_id"), "", call.flag("subgraphs"))


async def get_at(engine: Engine, call: Call, body: CheckpointQuery) -> dict[str, Any]:
    """The state at a checkpoint, of a subgraph where the checkpoint is one of its."""
    where = body.checkpoint
    return await _state(engine, call, where.get("checkpoint_id"), where.get("checkpoint_ns"), body.subgraphs)


async def update(engine: Engine, call: Call, body: StateUpdate) -> dict[str, Any]:
    """Change the state as if a node had returned the values; 409 while a run is in flight."""
    row = await changed_thread(engine, call)
    where = body.checkpoint or {}
    config = await engine.state.update(
        call.user,
        row,
        body.values,
        as_node=body.as_node,
        checkpoint_id=body.checkpoint_id or where.get("checkpoint_id"),
        namespace=_namespace(where.get("checkpoint_ns")),
    )
    checkpoint = checkpoint_json(config)
    return {"checkpoint": checkpoint, "configurable": checkpoint}


async def history(engine: Engine, call: Call, body: HistoryQuery) -> list[dict[str, Any]]:
    """Earlier states, the newest first."""
    row = await read_thread(engine, call)
    before = body.before
    if isinstance(before, Mapping):
        before = before.get("configurable", before).get("checkpoint_id")
    states = await engine.state.history(
        call.user,
        row,
        body.limit,
        before=before,
        namespace=_namespace((body.checkpoint or {}).get("checkpoint_ns")),
        metadata=body.metadata,
    )
    return [state_json(state) for state in states]


async def history_by_query(engine: Engine, call: Call) -> list[dict[str, Any]]:
    """Earlier states, the newest first."""
    limit = call.number("limit", 10, least=1)
    return await history(engine, call, HistoryQuery(limit=limit, before=call.query.get("before")))


async def _state(
    engine: Engine, call: Call, checkpoint_id: str | None, ns: str | None, subgraphs: bool
) -> dict[str, Any]:
    row = await _rested(engine, call)
    try:
        state = await engine.state.get(
            call.user, row, checkpoint_id=checkpoint_id, namespace=_namespace(ns), subgraphs=subgraphs
        )
    except NoSuchCheckpoint as exc:
        raise NotFound(str(exc)) from exc
    return state_json(state)


async def _rested(engine: Engine, call: Call) -> ThreadRow:
    """The thread, where a run is about to end once it has and its sockets know: Python's SDK reads the state
    when it has lost its stream, and then waits for what it was not told.
    """
    with anyio.move_on_after(_REST_S):
        while (row := await read_thread(engine, call)).active:  # noqa: ASYNC110  (Redis is where it rests)
            await anyio.sleep(_REST_POLL_S)
        await engine.hub.all_sent(thread_of(call), row.seq)
    return await read_thread(engine, call)


def _namespace(ns: str | None) -> list[str]:
    return ns.split("|") if ns else []
