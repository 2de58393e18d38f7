"""The front door: where a rep's message goes."""

from __future__ import annotations

from typing import Any, Final, Literal

from langgraph.runtime import Runtime
from pydantic import BaseModel, ConfigDict

from nodes.ask import ask
from nodes.call import CallState
from nodes.citations import Citation
from nodes.packs import known_packs
from nodes.question import ASK, question_of
from runtime.brief import write_brief
from runtime.context import Context

DO: Final = "/do"
"""Prefix by which a rep asks for a tool in the middle of a call."""
Destination = Literal["coaching", "rag", "tool_calling"]

_INSTRUCTIONS = """
Decide who answers the rep's message. coaching: the rep wants to practise a sales call. tool_calling: the rep
wants something done, such as a price worked out for a number of seats, or a follow-up booked. rag: everything
else, above all questions about the product, prices, objections and competitors.
"""


class Route(BaseModel):
    """Who answers."""

    model_config = ConfigDict(extra="forbid")
    to: Destination


class Desk(CallState, total=False):
    """State of the assistant: the call's, which its subgraph shares by name, and the front door's own."""

    route: Destination
    citations: list[Citation]
    asked: str
    """The last question to the playbook, for one that goes on from it."""


async def route(state: Desk, runtime: Runtime[Context]) -> dict[str, Any]:
    """Turns of a running call go to the buyer, unless they begin with /ask or /do; the rest by meaning.

    Raises InvalidInput for an empty message.
    """
    # The call's input lives for one step only, so it is handed on to the subgraph.
    inputs = {"command": state.get("command"), "scenario": state.get("scenario")}
    if inputs["command"] or inputs["scenario"]:
        return {**inputs, "route": "coaching"}
    text = question_of(state)
    if prefixed := _prefixed(state):
        return {"route": prefixed}
    call = state.get("call")
    if call and call["status"] == "live":
        return {"route": "coaching"}
    brief = write_brief("route", _INSTRUCTIONS, message=text)
    chosen = (await ask(runtime.context.model(), Route, [brief])).to
    if chosen != "coaching":
        return {"route": chosen}
    # Words like "let's practise" are said to the coach, not to the buyer: they start a call.
    known = await known_packs(runtime.context.packs_dir)
    scenario = next((name for name in known if name in text), None)
    return {"route": "coaching", "command": "restart", "scenario": scenario}


def _prefixed(state: Desk) -> Destination | None:
    text = state["messages"][-1].text.lstrip()
    if text.startswith(ASK):
        return "rag"
    return "tool_calling" if text.startswith(DO) else None
