"""A thread's state and history in the wire's form."""

from __future__ import annotations

from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.types import StateSnapshot

from runtime.execution import Graph
from runtime.keys import split_thread_key


async def state_json(graph: Graph, thread: str, checkpoint_id: str | None = None) -> dict[str, Any]:
    """The thread's state, or that of one of its checkpoints, in the wire's form."""
    place = {"thread_id": thread} | ({"checkpoint_id": checkpoint_id} if checkpoint_id else {})
    return snapshot_json(await graph.aget_state({"configurable": place}))


async def history_json(graph: Graph, thread: str, limit: int, before: str | None) -> list[dict[str, Any]]:
    """At most `limit` states, the newest first, older than the checkpoint `before`."""
    config: RunnableConfig = {"configurable": {"thread_id": thread}}
    bound: RunnableConfig | None = None
    if before:
        bound = {"configurable": {"thread_id": thread, "checkpoint_id": before}}
    states = graph.aget_state_history(config, limit=limit, before=bound)
    return [snapshot_json(state) async for state in states]


def snapshot_json(state: StateSnapshot) -> dict[str, Any]:
    checkpoint, parent = _place(state.config), _place(state.parent_config)
    return {
        "values": state.values or {},
        "next": list(state.next),
        "tasks": [
            {
                "id": task.id,
                "name": task.name,
                "path": list(task.path),
                "error": repr(task.error) if task.error else None,
                "interrupts": [{"id": i.id, "value": i.value} for i in task.interrupts],
                "checkpoint": None,
                "state": None,
                "result": task.result,
            }
            for task in state.tasks
        ],
        "metadata": {k: v for k, v in (state.metadata or {}).items() if k != "thread_id"},
        "created_at": state.created_at,
        "checkpoint": checkpoint,
        "parent_checkpoint": parent,
        "interrupts": [{"id": i.id, "value": i.value} for i in state.interrupts],
        "checkpoint_id": checkpoint and checkpoint["checkpoint_id"],
        "parent_checkpoint_id": parent and parent["checkpoint_id"],
    }


def _place(config: Any) -> dict[str, Any] | None:
    place = (config or {}).get("configurable", {})
    if "checkpoint_id" not in place:
        return None
    _, thread_id = split_thread_key(place["thread_id"])
    return {
        "checkpoint_id": place["checkpoint_id"],
        "thread_id": thread_id,
        "checkpoint_ns": place.get("checkpoint_ns", ""),
    }
