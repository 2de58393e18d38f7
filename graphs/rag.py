"""A question to the playbook: retrieve, grade, answer with citations, verify; or say what is not known."""

from __future__ import annotations

from langgraph.graph import END, START, MessagesState, StateGraph

from nodes.question import Asking, answer, decline, grade, retrieve, verify
from runtime.context import Context


def build() -> StateGraph[Asking, Context, MessagesState, Asking]:
    """One run is one question."""
    graph = StateGraph(Asking, Context, input_schema=MessagesState)
    graph.add_node("retrieve", retrieve)
    graph.add_node("grade", grade)
    graph.add_node("answer", answer)
    graph.add_node("verify", verify)
    graph.add_node("decline", decline)
    graph.add_edge(START, "retrieve")
    graph.add_conditional_edges("retrieve", _found, {True: "grade", False: "decline"})
    graph.add_conditional_edges("grade", _answerable, {True: "answer", False: "decline"})
    graph.add_edge("answer", "verify")
    graph.add_edge("verify", END)
    graph.add_edge("decline", END)
    return graph


def _found(state: Asking) -> bool:
    return state["knowledge"] == "found"


def _answerable(state: Asking) -> bool:
    return bool(state["grade"]["answerable"])
