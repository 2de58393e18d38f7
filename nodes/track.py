"""Track: what the rep just did, and what it changes in the call."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from nodes import objections
from nodes.advance import advance
from nodes.ask import ask
from nodes.call import CallState, pack_of
from nodes.observation import ACTS, TOPICS, Observation
from nodes.packs import Pack
from runtime.brief import write_brief
from runtime.context import Context

_INSTRUCTIONS = """
You watch a sales call and report what the rep did in `rep_text`, and nothing else. Report only what stands
in the words; an empty list is a good answer. `acknowledge`, `clarify`, `respond` and `confirm` are steps of
answering the objection in `open_objection`; when it is null leave them out, except `acknowledge`. Quote each
question word for word and name the topic it asks about. A SPIN kind belongs to questions about the buyer's
situation, problem, implication or need_payoff; all others have `none`. When `awaiting_date` is true, a date
the rep names belongs to `next_step_when` and its sentence to `next_step_what`.
"""


async def track(state: CallState, runtime: Runtime[Context]) -> dict[str, Any]:
    """Observes the rep's last turn by the model, then applies the rules of the call to it."""
    pack = await pack_of(state, runtime.context.packs_dir)
    brief = write_brief("track", _INSTRUCTIONS, **_facts(state, pack))
    return advance(state, pack, await ask(runtime.context.model(), Observation, [brief]))


def _facts(state: CallState, pack: Pack) -> dict[str, Any]:
    turns = state["turns"]
    waiting = objections.open_one(state["objections"], len(turns) - 1)
    facts = (*pack.persona.facts, *pack.persona.hidden_facts)
    cue = state.get("cue")
    return {
        "rep_text": turns[-1]["text"],
        "buyer_said": turns[-2]["text"] if len(turns) > 1 else "",
        "open_objection": objections.find(pack.persona, waiting["id"]).text if waiting else None,
        "awaiting_date": bool(cue and cue["next_step"] in ("ask_when", "hesitate")),
        "needs": [line for f in facts if f.id in state["told"] for line in (f.text, *f.say)],
        "competitors": pack.persona.competitors,
        "acts": ACTS,
        "topics": TOPICS,
    }
