"""A question to the playbook: plan, retrieve, grade, answer, verify; or say what is not known.

Where the context has a cache of answers, a question that stands alone is looked up there first.
"""

from __future__ import annotations

from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from nodes.answering import answer, decline, verify
from nodes.grading import grade
from nodes.question import Asked, Asking, chat, open_parts, plan
from nodes.recall import recall, remember
from nodes.retrieval import ROUNDS, retrieve, widen
from runtime.context import Context


def build() -> StateGraph[Asking, Context, Asked, Asking]:
    """One run is one message. What is open after the first search is searched for once more, more widely."""
    graph = StateGraph(Asking, Context, input_schema=Asked)
    graph.add_node("plan", plan)
    graph.add_node("chat", chat)
    graph.add_node("recall", recall)
    graph.add_node("retrieve", retrieve)
    graph.add_node("grade", grade)
    graph.add_node("widen", widen)
    graph.add_node("answer", answer)
    graph.add_node("verify", verify)
    graph.add_node("remember", remember)
    graph.add_node("decline", decline)
    graph.add_edge(START, "plan")
    graph.add_conditional_edges("plan", _after_plan, ["chat", "recall", "retrieve"])
    graph.add_conditional_edges("recall", _after_recall, {True: END, False: "retrieve"})
    graph.add_conditional_edges("retrieve", _after_search, ["grade", "widen", "answer", "decline"])
    graph.add_conditional_edges("grade", _after_grade, ["widen", "answer", "decline"])
    graph.add_edge("widen", "retrieve")
    graph.add_edge("answer", "verify")
    graph.add_conditional_edges("verify", _may_be_kept, {True: "remember", False: END})
    for last in ("chat", "remember", "decline"):
        graph.add_edge(last, END)
    return graph


def _after_plan(state: Asking, runtime: Runtime[Context]) -> Literal["chat", "recall", "retrieve"]:
    if not state["parts"]:
        return "chat"
    return "recall" if state["alone"] and runtime.context.answers is not None else "retrieve"


def _after_recall(state: Asking) -> bool:
    served: bool = state["grade"]["answerable"]
    return served


def _may_be_kept(state: Asking) -> bool:
    return state["missed"] is not None


def _after_search(state: Asking) -> Literal["grade", "widen", "answer", "decline"]:
    return "grade" if state["found"] else _after_grade(state)


def _after_grade(state: Asking) -> Literal["widen", "answer", "decline"]:
    if open_parts(state) and state["rounds"] < ROUNDS and state["knowledge"] != "unavailable":
        return "widen"
    return "answer" if state["grade"]["answerable"] else "decline"
