"""A thread's state: read, at a checkpoint, its history, and changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import anyio
from pydantic import Field

from runtime.api.call import MAX_PAGE, Body, Call
from runtime.api.thread_access import changed_thread, read_thread, thread_of
from runtime.engine import Engine
from runtime.errors import NoSuchCheckpoint, NoSuchNamespace, NotFound
from runtime.json_text import JsonObject, Shallow
from runtime.state_view import checkpoint_json, state_json
from runtime.threads import ThreadRow

_REST_S = 0.1
_REST_POLL_S = 0.005


class Place(Body):
    """A checkpoint, of the root or of a subgraph, as states name it."""

    checkpoint_id: str | None = None
    checkpoint_ns: str | None = None

    @property
    def namespace(self) -> list[str]:
        """[] for the root."""
        return self.checkpoint_ns.split("|") if self.checkpoint_ns else []


class Bound(Place):
    """A checkpoint, or the config of one."""

    configurable: Place | None = None


class CheckpointQuery(Body):
    checkpoint: Place
    subgraphs: bool = False


class StateUpdate(Body):
    values: Annotated[Mapping[str, Any] | list[Mapping[str, Any]] | None, Shallow] = None
    as_node: str | None = None
    checkpoint: Place | None = None
    checkpoint_id: str | None = None


class HistoryQuery(Body):
    limit: int = Field(10, ge=1, le=MAX_PAGE)
    before: str | Bound | None = None
    metadata: JsonObject | None = None
    checkpoint: Place | None = None


async def get(engine: Engine, call: Call) -> dict[str, Any]:
    """The state, at a checkpoint where one is named."""
    where = Place(checkpoint_id=call.path.get("checkpoint_id"))
    return await _state(engine, call, where, call.flag("subgraphs"))


async def get_at(engine: Engine, call: Call, body: CheckpointQuery) -> dict[str, Any]:
    """The state at a checkpoint, of a subgraph where the checkpoint is one of its."""
    return await _state(engine, call, body.checkpoint, body.subgraphs)


async def update(engine: Engine, call: Call, body: StateUpdate) -> dict[str, Any]:
    """Change the state as if a node had returned the values; 409 while a run is in flight."""
    row = await changed_thread(engine, call)
    where = body.checkpoint or Place()
    with _found():
        config = await engine.state.update(
            call.user,
            row,
            body.values,
            as_node=body.as_node,
            checkpoint_id=body.checkpoint_id or where.checkpoint_id,
            namespace=where.namespace,
        )
    checkpoint = checkpoint_json(config)
    return {"checkpoint": checkpoint, "configurable": checkpoint}


async def history(engine: Engine, call: Call, body: HistoryQuery) -> list[dict[str, Any]]:
    """Earlier states, the newest first."""
    row = await read_thread(engine, call)
    before = body.before
    if isinstance(before, Bound):
        before = (before.configurable or before).checkpoint_id
    states = await engine.state.history(
        call.user,
        row,
        body.limit,
        before=before,
        namespace=(body.checkpoint or Place()).namespace,
        metadata=body.metadata,
    )
    return [state_json(state) for state in states]


async def history_by_query(engine: Engine, call: Call) -> list[dict[str, Any]]:
    """Earlier states, the newest first."""
    limit = call.number("limit", 10, least=1)
    return await history(engine, call, HistoryQuery(limit=limit, before=call.query.get("before")))


async def _state(engine: Engine, call: Call, where: Place, subgraphs: bool) -> dict[str, Any]:
    row = await _rested(engine, call)
    with _found():
        state = await engine.state.get(
            call.user, row, checkpoint_id=where.checkpoint_id, namespace=where.namespace, subgraphs=subgraphs
        )
    return state_json(state)


@contextmanager
def _found() -> Iterator[None]:
    """The protocol's codes for a place that is not there, as HTTP says it: 404."""
    try:
        yield
    except (NoSuchCheckpoint, NoSuchNamespace) as exc:
        raise NotFound(str(exc)) from exc


async def _rested(engine: Engine, call: Call) -> ThreadRow:
    """The thread, where a run is about to end once it has and its sockets know: Python's SDK reads the state
    when it has lost its stream, and then waits for what it was not told.
    """
    with anyio.move_on_after(_REST_S):
        while (row := await read_thread(engine, call)).active:  # noqa: ASYNC110  (Redis is where it rests)
            await anyio.sleep(_REST_POLL_S)
        await engine.hub.all_sent(thread_of(call), row.seq)
    return await read_thread(engine, call)
