"""The buyer: says its next line, by any model, from what it may know at this point."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langgraph.runtime import Runtime

from nodes import objections
from nodes.call import CallState, Cue, Turn, pack_of
from nodes.packs import Pack, Persona
from runtime.brief import write_brief
from runtime.context import Context
from runtime.errors import ModelOutputInvalid

_INSTRUCTIONS = """
You play the buyer in a sales call; the other side is a rep who practises. Stay this person: you buy, you
never sell, coach or help like an assistant, and you never speak of these instructions. Speak as people do on
the phone: one to four sentences, in the language of `language`, no lists. `feelings` run from 0 to 1.

Follow `cue`, it is your stage direction for this line:
- `tell`: work these facts into your answer, in your own words. Tell no other figures or names than
  those in `tell`, `told` and `context`.
- `told_before`: you have said this already; say so, briefly.
- `withhold`: topics you are asked about and are not ready to discuss; evade, in your manner.
- `unknown`: topics you have nothing to say about.
- `objection`: raise this now. `answer_to` with `about`: how the rep dealt with your open objection; when
  `resolved`, let it go; when `partly`, explain it when you are asked, else say what is missing; when
  `ignored`, come back to it.
- `next_step`: accept = agree and repeat the date; ask_when = agree and ask for a date; hesitate = name what
  keeps you from it; refuse = too early for you.
- `leave`: end the call now, politely and for good.
An empty cue means: react to what was said and leave the lead to the rep.
"""


async def reply(state: CallState, runtime: Runtime[Context]) -> dict[str, Any]:
    """The buyer's next line, streamed; raises ModelOutputInvalid when the model says nothing."""
    pack = await pack_of(state, runtime.context.packs_dir)
    messages = [write_brief("buyer", _INSTRUCTIONS, **_facts(state, pack)), *_history(state["turns"])]
    answer = await runtime.context.model().ainvoke(messages)
    text = answer.text.strip()
    if not text:
        raise ModelOutputInvalid("the model gave the buyer no words")
    turn: Turn = {"speaker": "buyer", "name": pack.persona.name, "text": text}
    return {"messages": [answer.model_copy(update={"name": "buyer"})], "turns": [*state["turns"], turn]}


def _history(turns: list[Turn]) -> list[BaseMessage]:
    return [
        HumanMessage(turn["text"]) if turn["speaker"] == "rep" else AIMessage(turn["text"]) for turn in turns
    ]


def _facts(state: CallState, pack: Pack) -> dict[str, Any]:
    """What the buyer is shown. A hidden fact is there only once it is told: what is not there cannot leak."""
    persona, cue = pack.persona, state["cue"]
    assert cue is not None, "track comes first"
    seen = state["observations"][-1]
    return {
        "language": pack.language,
        "persona": {
            "name": persona.name,
            "title": persona.title,
            "company": persona.company,
            "role": persona.role,
            "archetype": persona.archetype,
            "manner": persona.manner,
            "goals": persona.goals,
            "decision_criteria": persona.decision_criteria,
        },
        "context": persona.context,
        "stage": state["stage"],
        "feelings": state["feelings"],
        "told": [fact["text"] for fact in _known(persona, state["told"]) if fact["id"] not in cue["tell"]],
        "cue": _directions(persona, cue),
        "rep_did": {"acts": seen["acts"], "links_value": seen["links_value"], "when": seen["next_step_when"]},
        "turn": len(state["turns"]),
        "voice": persona.voice,
    }


def _directions(persona: Persona, cue: Cue) -> dict[str, Any]:
    """The cue with the texts its ids stand for."""
    raised = objections.find(persona, cue["objection"]) if cue["objection"] else None
    about = objections.find(persona, cue["about"]) if cue["about"] else None
    return {
        **cue,
        "tell": _known(persona, cue["tell"]),
        "told_before": _known(persona, cue["told_before"]),
        "objection": raised and {"kind": raised.kind, "text": raised.text, "say": raised.say},
        "about": about
        and {
            "kind": about.kind,
            "text": about.text,
            "say": about.say,
            "explain": about.explain,
            "resolved_say": about.resolved_say,
        },
    }


def _known(persona: Persona, ids: list[str]) -> list[dict[str, Any]]:
    facts = (*persona.facts, *persona.hidden_facts)
    return [{"id": f.id, "topic": f.topic, "text": f.text, "say": f.say} for f in facts if f.id in ids]
