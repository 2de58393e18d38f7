"""Replay: a thread's turns run again from its checkpoints, on a private copy; the original never moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.types import StateSnapshot

from runtime.context import Context
from runtime.errors import NotFound
from runtime.graph import Graph

_MAX_CHECKPOINTS = 10_000


@dataclass(frozen=True)
class Turn:
    """One recorded input and what a replay of it gave."""

    number: int
    """1 for the first."""
    checkpoint_id: str
    """The input's checkpoint in the original."""
    differences: Mapping[str, tuple[Any, Any]]
    """Recorded and replayed value of each state key that differs; empty: the same."""
    interrupted: bool
    """The replay stopped at a question to a human, whose answer is not replayed."""


async def replay(graph: Graph, saver: BaseCheckpointSaver[Any], thread: str, context: Context) -> list[Turn]:
    """Runs each recorded turn again from its input's checkpoint and compares the states.

    Model and tools are called again: the scripted model answers the same, a real one may not, and then the
    difference is what is reported. The copy is deleted at the end. Raises NotFound for a thread without
    checkpoints.
    """
    copy = f"{thread}:replay:{uuid4()}"
    await saver.acopy_thread(thread, copy)
    try:
        states = await _states(graph, copy)
        if not states:
            raise NotFound(f"thread {thread!r} has no checkpoints")
        return [
            await _replay_turn(graph, context, number, asked, recorded)
            for number, (asked, recorded) in enumerate(_turns(states), 1)
        ]
    finally:
        await saver.adelete_thread(copy)


async def _states(graph: Graph, thread: str) -> list[StateSnapshot]:
    """The main line, oldest first."""
    config: RunnableConfig = {"configurable": {"thread_id": thread}}
    history = [s async for s in graph.aget_state_history(config, limit=_MAX_CHECKPOINTS)]
    by_id = {_checkpoint_id(s): s for s in history}
    line: list[StateSnapshot] = []
    at: StateSnapshot | None = history[0] if history else None
    while at is not None:
        line.append(at)
        at = by_id.get(_checkpoint_id(at, parent=True))
    return line[::-1]


def _turns(states: list[StateSnapshot]) -> list[tuple[StateSnapshot, StateSnapshot]]:
    """The input's checkpoint of each turn, and the last before the next turn's."""
    starts = [i for i, s in enumerate(states) if (s.metadata or {}).get("source") == "input"]
    ends = [*(start - 1 for start in starts[1:]), len(states) - 1]
    return [(states[start], states[end]) for start, end in zip(starts, ends, strict=True)]


async def _replay_turn(
    graph: Graph, context: Context, number: int, asked: StateSnapshot, recorded: StateSnapshot
) -> Turn:
    place = asked.config["configurable"]
    config: RunnableConfig = {"configurable": {k: place[k] for k in ("thread_id", "checkpoint_id")}}
    values = await graph.ainvoke(None, config, context=context, durability="exit")
    interrupted = "__interrupt__" in values
    differences = {} if interrupted else _differences(recorded.values, values)
    return Turn(number, _checkpoint_id(asked), differences, interrupted)


def _differences(recorded: Mapping[str, Any], replayed: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    keys = recorded.keys() | replayed.keys()
    pairs = {key: (_content(recorded.get(key)), _content(replayed.get(key))) for key in sorted(keys)}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def _content(value: Any) -> Any:
    """The value without the ids that every run makes anew."""
    if isinstance(value, BaseMessage):
        calls = [(c["name"], _content(c["args"])) for c in getattr(value, "tool_calls", [])]
        return value.type, value.text, calls
    if isinstance(value, Mapping):
        return {k: _content(v) for k, v in value.items()}
    return [_content(item) for item in value] if isinstance(value, list | tuple) else value


def _checkpoint_id(state: StateSnapshot, *, parent: bool = False) -> str:
    config = state.parent_config if parent else state.config
    return str(config["configurable"]["checkpoint_id"]) if config else ""
