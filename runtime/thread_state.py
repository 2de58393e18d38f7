"""A thread's state: read, listed and changed through the graph that last ran on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.errors import EmptyInputError, InvalidUpdateError
from langgraph.types import StateSnapshot
from langgraph_sdk.runtime import AccessContext

from runtime.catalog import Catalog
from runtime.context import User
from runtime.errors import InvalidInput, NoSuchCheckpoint, ThreadBusy
from runtime.graph import Graph
from runtime.keys import thread_key
from runtime.threads import ThreadRow, Threads


class ThreadState:
    def __init__(self, threads: Threads, catalog: Catalog) -> None:
        self._threads = threads
        self._catalog = catalog

    async def get(
        self,
        user: User,
        row: ThreadRow,
        *,
        checkpoint_id: str | None = None,
        namespace: Sequence[str] = (),
        subgraphs: bool = False,
    ) -> StateSnapshot | None:
        """The state, at the checkpoint where one is named; None before anything ran.

        Raises NoSuchCheckpoint.
        """
        if not row.graph:
            if checkpoint_id:
                raise NoSuchCheckpoint(f"no checkpoint {checkpoint_id!r} on this thread")
            return None
        config = place(user, row.thread_id, checkpoint_id, namespace)
        async with self._graph(user, row, "threads.read") as graph:
            state = await graph.aget_state(config, subgraphs=subgraphs)
        if checkpoint_id and state.created_at is None:
            raise NoSuchCheckpoint(f"no checkpoint {checkpoint_id!r} on this thread")
        return state

    async def history(
        self,
        user: User,
        row: ThreadRow,
        limit: int,
        *,
        before: str | None = None,
        namespace: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
    ) -> list[StateSnapshot]:
        """At most `limit` states, the newest first, older than the checkpoint `before`."""
        if not row.graph:
            return []
        bound = place(user, row.thread_id, before) if before else None
        async with self._graph(user, row, "threads.read") as graph:
            states = graph.aget_state_history(
                place(user, row.thread_id, None, namespace),
                limit=limit,
                before=bound,
                filter=dict(metadata) if metadata else None,
            )
            return [state async for state in states]

    async def update(
        self,
        user: User,
        row: ThreadRow,
        values: Any,
        *,
        as_node: str | None = None,
        checkpoint_id: str | None = None,
        namespace: Sequence[str] = (),
    ) -> RunnableConfig:
        """Writes `values` as if a node had returned them; the new checkpoint's config.

        A question that waited for an answer is dropped. Raises ThreadBusy while a run is in flight, and
        InvalidInput for values that the graph does not take.
        """
        if row.active:
            raise ThreadBusy("Thread is already running a task; its state cannot be changed meanwhile")
        if not row.graph:
            raise InvalidInput(
                "nothing ran on this thread, so no graph knows its state; name a graph_id at creation"
            )
        async with self._graph(user, row, "threads.update") as graph:
            try:
                config = await graph.aupdate_state(
                    place(user, row.thread_id, checkpoint_id, namespace), values, as_node=as_node
                )
            except (InvalidUpdateError, EmptyInputError) as exc:
                raise InvalidInput(str(exc).split("\n")[0]) from exc
            state = await graph.aget_state(place(user, row.thread_id))
        asked = any(task.interrupts for task in state.tasks)
        await self._threads.set_status(user, row.thread_id, "interrupted" if asked else "idle")
        return config

    def _graph(self, user: User, row: ThreadRow, access: AccessContext) -> AbstractAsyncContextManager[Graph]:
        return self._catalog.open(row.graph, access, user)


def place(
    user: User, thread_id: str, checkpoint_id: str | None = None, namespace: Sequence[str] = ()
) -> RunnableConfig:
    """LangGraph's config of a place in a thread; `namespace` as the wire has it, [] for the root."""
    where: dict[str, Any] = {
        "thread_id": thread_key(user.tenant, thread_id),
        "checkpoint_ns": "|".join(namespace),
    }
    return {"configurable": where | ({"checkpoint_id": checkpoint_id} if checkpoint_id else {})}
