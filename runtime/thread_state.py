"""A thread's state: read, listed and changed through the graph that last ran on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from langchain_core.exceptions import LangChainException
from langchain_core.runnables import RunnableConfig
from langgraph.errors import EmptyInputError, InvalidUpdateError
from langgraph.types import StateSnapshot
from langgraph_sdk.runtime import AccessContext

from runtime.catalog import Catalog
from runtime.context import User
from runtime.errors import InvalidInput, NoSuchCheckpoint, NoSuchNamespace, ThreadBusy
from runtime.graph import Graph
from runtime.keys import thread_key
from runtime.threads import ThreadRow, Threads

_REFUSALS = (ValueError, TypeError, NotImplementedError, LookupError, AttributeError, LangChainException)
"""What reducers, and the branches that read their outcome, raise for values of another kind than theirs."""


class ThreadState:
    """Opens the thread's graph for each call; `row` is the thread as its caller may read or change it."""

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

        A question that waited for an answer is dropped. Raises ThreadBusy while a run is in flight;
        NoSuchCheckpoint and NoSuchNamespace; InvalidInput for values that the graph does not take. When a run
        began meanwhile, which may have gone on from the state before, it raises ThreadBusy too.
        """
        if row.active:
            raise ThreadBusy("Thread is already running a task; its state cannot be changed meanwhile")
        if not row.graph:
            raise InvalidInput(
                "nothing ran on this thread, so no graph knows its state; name a graph_id at creation"
            )
        where = place(user, row.thread_id, checkpoint_id, namespace)
        async with self._graph(user, row, "threads.update") as graph:
            if checkpoint_id or namespace:
                await _check_place(graph, where, checkpoint_id, namespace)
            config = await _updated(graph, where, values, as_node)
            state = await graph.aget_state(place(user, row.thread_id))
        after = await self._threads.get(user, row.thread_id)
        status = "interrupted" if any(task.interrupts for task in state.tasks) else "idle"
        ran = (after.run_seq, after.seq) != (row.run_seq, row.seq)
        if ran or not await self._threads.set_status(user, row.thread_id, status):
            raise ThreadBusy("a run began meanwhile; see whether the change is in the state")
        return config

    def _graph(self, user: User, row: ThreadRow, access: AccessContext) -> AbstractAsyncContextManager[Graph]:
        return self._catalog.open(row.graph, access, user)


async def _updated(graph: Graph, where: RunnableConfig, values: Any, as_node: str | None) -> RunnableConfig:
    try:
        return await graph.aupdate_state(where, values, as_node=as_node)
    except (InvalidUpdateError, EmptyInputError) as exc:
        raise InvalidInput(str(exc).split("\n")[0]) from exc
    except _REFUSALS as exc:
        # Without the exception's text: it may hold the values.
        raise InvalidInput(f"the graph does not take these values ({type(exc).__name__})") from exc


async def _check_place(
    graph: Graph, where: RunnableConfig, checkpoint_id: str | None, namespace: Sequence[str]
) -> None:
    """LangGraph would begin a new state there, in the place of the one that the thread has."""
    state = await graph.aget_state(where)
    if state.created_at is None and checkpoint_id:
        raise NoSuchCheckpoint(f"no checkpoint {checkpoint_id!r} on this thread")
    if state.created_at is None:
        raise NoSuchNamespace(f"nothing ran under {'|'.join(namespace)!r}")


def place(
    user: User, thread_id: str, checkpoint_id: str | None = None, namespace: Sequence[str] = ()
) -> RunnableConfig:
    """LangGraph's config of a place in a thread; `namespace` as the wire has it, [] for the root."""
    where: dict[str, Any] = {
        "thread_id": thread_key(user.tenant, thread_id),
        "checkpoint_ns": "|".join(namespace),
    }
    return {"configurable": where | ({"checkpoint_id": checkpoint_id} if checkpoint_id else {})}
