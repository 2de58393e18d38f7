"""What a graph is started with: the run's input or answers, and LangGraph's config."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from langchain_core.runnables import RunnableConfig
from langgraph.types import Command, Send, StateSnapshot

from runtime.errors import InvalidInput
from runtime.graph import Graph
from runtime.project_runtime import caller_keys
from runtime.run_record import Claim, RunRequest


class Beginning(NamedTuple):
    payload: Any
    """The graph's input; None: go on from the last checkpoint, into which a lost worker has brought it."""
    config: RunnableConfig
    checkpoint_id: str | None
    """What it goes on from, if that is known."""
    paused: bool
    """The lost worker had come to a breakpoint: to go on would go past it."""


async def begin(graph: Graph, claim: Claim, recursion: int, most: int) -> Beginning:
    """What a claim starts its graph with."""
    chosen = claim.request.recursion_limit or (graph.config or {}).get("recursion_limit", recursion)
    config = run_config(claim, min(chosen, most))
    if claim.number > 1:
        state = await graph.aget_state({"configurable": {"thread_id": claim.thread}})
        if state.metadata and state.metadata.get("run_id") == claim.run_id:
            paused = await _at_breakpoint(graph, claim.request, state)
            return Beginning(None, config, state.config["configurable"]["checkpoint_id"], paused)
    if claim.request.checkpoint_id:
        config["configurable"]["checkpoint_id"] = claim.request.checkpoint_id
    return Beginning(graph_input(claim.request), config, claim.request.checkpoint_id, False)


async def _at_breakpoint(graph: Graph, request: RunRequest, state: StateSnapshot) -> bool:
    if _named(state.next, request.interrupt_before or graph.interrupt_before_nodes):
        return True
    after = request.interrupt_after or graph.interrupt_after_nodes
    if not (after and state.next and state.parent_config):
        return False
    return _named((await graph.aget_state(state.parent_config)).next, after)


def _named(nodes: Sequence[str], breakpoints: Literal["*"] | Sequence[str]) -> bool:
    return bool(nodes) and (breakpoints == "*" or not set(breakpoints).isdisjoint(nodes))


def graph_input(request: RunRequest) -> Any:
    """The input, or a `Command` where the request answers, updates or jumps."""
    if request.kind == "input" and request.update is None and request.goto is None:
        return request.payload
    given: dict[str, Any] = {}
    if request.kind == "resume":
        given["resume"] = request.payload
    if request.update is not None:
        given["update"] = request.update
    if request.goto is not None:
        given["goto"] = _goto(request.goto)
    return Command(**given)


def _goto(given: Any) -> Any:
    """Node names and `{node, input}`, one or several. Raises InvalidInput for anything else."""
    if isinstance(given, list):
        return [_goto(one) for one in given]
    if isinstance(given, dict) and isinstance(given.get("node"), str):
        return Send(given["node"], given.get("input"))
    if isinstance(given, str):
        return given
    raise InvalidInput(f"goto must be a node's name or an object with a node, not {given!r:.80}")


def run_config(claim: Claim, recursion: int) -> RunnableConfig:
    """What LangGraph and the saver need to know; keys with `__` stay out of the checkpoints' metadata."""
    request = claim.request
    about = {"run_id": claim.run_id, "assistant_id": request.assistant, "graph_id": request.graph}
    place = {
        **request.configurable,
        **about,
        **caller_keys(claim.run.user),
        "user_id": claim.run.user.subject,
        "thread_id": claim.thread,
        "__fence": claim.fence,
    }
    return {
        "configurable": place,
        "metadata": {**request.metadata, **about},
        "tags": list(request.tags),
        "recursion_limit": recursion,
    }
