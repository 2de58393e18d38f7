"""Settle: after both the buyer and the coach are done, does the call go on?"""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from nodes.call import Call, CallState, Outcome, live, pack_of
from nodes.feelings import SURE, is_ready
from nodes.packs import Pack
from runtime.context import Context


async def settle(state: CallState, runtime: Runtime[Context]) -> dict[str, Any]:
    """Ends the call when the rep hangs up, the buyer agrees or leaves, or the turns are used up."""
    pack = await pack_of(state, runtime.context.packs_dir)
    ended_by, why = _end(state, pack)
    if ended_by is None:
        return {}
    call: Call = {
        **live(state),
        "status": "ended",
        "ended_by": ended_by,
        "outcome": _outcome(state, pack, ended_by),
    }
    turn = len(state["turns"]) - 1
    change = {"turn": turn, "origin": state["stage"], "to": "ended", "reason": why}
    return {"call": call, "stage": "ended", "stage_changes": [*state["stage_changes"], change]}


def _end(state: CallState, pack: Pack) -> tuple[Any, str]:
    cue, limit = state.get("cue"), pack.scenario.turn_limit
    if state.get("heard") == "end":
        return "rep", "the rep ended the call"
    if cue and cue["leave"]:
        return "buyer_left", "the buyer's resistance grew too high"
    if state.get("next_step"):
        return "success", "a dated next step is agreed"
    if sum(turn["speaker"] == "rep" for turn in state["turns"]) >= limit:
        return "turn_limit", f"the limit of {limit} turns is reached"
    return None, ""


def _outcome(state: CallState, pack: Pack, ended_by: str) -> Outcome:
    if ended_by == "buyer_left":
        return "lost"
    if not state.get("next_step"):
        return "no_decision"
    asked = "commitment_request" in state["observations"][-1]["acts"]
    sure = is_ready(state["feelings"], pack.scenario.accepts_next_step, margin=SURE)
    return "won" if asked and sure else "next_step"
