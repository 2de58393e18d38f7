"""Two questions at once, and a third once both are answered; a builder that the server compiles."""

from __future__ import annotations

import operator
from typing import Annotated, Any

from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt
from typing_extensions import TypedDict


class State(TypedDict):
    answers: Annotated[list[str], operator.add]


def colour(state: State) -> dict[str, Any]:
    """Asks for a colour."""
    return {"answers": [f"colour={interrupt('Which colour?')}"]}


def size(state: State) -> dict[str, Any]:
    """Asks for a size."""
    return {"answers": [f"size={interrupt('Which size?')}"]}


def confirm(state: State) -> dict[str, Any]:
    """Shows both answers and asks whether they are right."""
    return {"answers": [f"confirm={interrupt({'given': state['answers']})}"]}


graph = StateGraph(State)
graph.add_node("colour", colour)
graph.add_node("size", size)
graph.add_node("confirm", confirm)
graph.add_edge(START, "colour")
graph.add_edge(START, "size")
graph.add_edge(["colour", "size"], "confirm")
graph.add_edge("confirm", END)
