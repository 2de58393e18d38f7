"""A thread's state in the wire's form."""

from __future__ import annotations

import re
from typing import Any

from langgraph.types import PregelTask, StateSnapshot

from runtime.keys import split_thread_key

_RAISED = re.compile(r"[A-Za-z_][\w.]*(?=\()")


def state_json(state: StateSnapshot | None) -> dict[str, Any]:
    """The state as clients know it; None: nothing ran yet. The values of a state graph are an object."""
    if state is None:
        state = StateSnapshot({}, (), {}, None, None, None, (), ())
    checkpoint, parent = _place(state.config), _place(state.parent_config)
    return {
        "values": {} if state.values is None else state.values,
        "next": list(state.next),
        "tasks": [_task(task) for task in state.tasks],
        "metadata": {k: v for k, v in (state.metadata or {}).items() if k != "thread_id"},
        "created_at": state.created_at,
        "checkpoint": checkpoint,
        "parent_checkpoint": parent,
        "interrupts": [{"id": i.id, "value": i.value} for i in state.interrupts],
        "checkpoint_id": checkpoint and checkpoint["checkpoint_id"],
        "parent_checkpoint_id": parent and parent["checkpoint_id"],
    }


def _task(task: PregelTask) -> dict[str, Any]:
    below = task.state
    return {
        "id": task.id,
        "name": task.name,
        "path": list(task.path),
        "error": _kind(task.error) if task.error else None,
        "interrupts": [{"id": i.id, "value": i.value} for i in task.interrupts],
        "checkpoint": _below(below) if isinstance(below, dict) else None,
        "state": state_json(below) if isinstance(below, StateSnapshot) else None,
        "result": task.result,
    }


def _kind(error: Any) -> str:
    """The exception's type: its text may hold anything, the conversation included.

    What comes from a checkpoint is a string, `repr` of the exception (LangGraph's `jsonplus.py`).
    """
    if not isinstance(error, str):
        return type(error).__name__
    named = _RAISED.match(error)
    return named[0] if named else "Exception"


def _below(config: Any) -> dict[str, Any]:
    where = config.get("configurable", {})
    _, thread_id = split_thread_key(where["thread_id"])
    return {"thread_id": thread_id, "checkpoint_ns": where.get("checkpoint_ns", "")}


def checkpoint_json(config: Any) -> dict[str, Any]:
    """The checkpoint that a config names. Raises KeyError for a config without one."""
    where = config["configurable"]
    _, thread_id = split_thread_key(where["thread_id"])
    return {
        "checkpoint_id": where["checkpoint_id"],
        "thread_id": thread_id,
        "checkpoint_ns": where.get("checkpoint_ns", ""),
        "checkpoint_map": where.get("checkpoint_map"),
    }


def _place(config: Any) -> dict[str, Any] | None:
    return checkpoint_json(config) if config and "checkpoint_id" in config["configurable"] else None
