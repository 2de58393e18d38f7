"""Which hint, if any, helps the rep now, and what became of the last one. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

from nodes import objections, stages
from nodes.bilingual import fold
from nodes.call import CallState, Cue, Hint, live
from nodes.feelings import is_ready
from nodes.hint_lines import LINES
from nodes.notices import SLOT_NAMES
from nodes.observation import Observation
from nodes.packs import Pack

MIN_CONFIDENCE: Final = 0.6
"""Below it the coach keeps quiet."""
GRACE: Final = 2
"""Turns of the rep before the coach points at a gap; the rep may have a plan."""


class Candidate(NamedTuple):
    kind: str
    line: str
    """Key of `LINES`, and with its topic what makes a hint the same as another."""
    wants: str
    confidence: float
    topic: str = ""
    words: str = ""
    """A battlecard's words."""
    source: str = ""

    @property
    def key(self) -> str:
        return f"{self.line}:{self.topic}" if self.topic else self.line


def choose(state: CallState, pack: Pack, battlecard: Candidate | None = None) -> Hint | None:
    """The best hint that was not shown before and is sure enough, for the turn just tracked."""
    cue = state["cue"]
    if cue and (cue["leave"] or cue["next_step"] == "accept"):
        return None
    found = [*_reactions(state, pack), *([battlecard] if battlecard else []), *_gaps(state, pack)]
    shown = {hint["hint_id"] for hint in state["hints"]}
    fresh = [c for c in found if c.key not in shown and c.confidence >= MIN_CONFIDENCE]
    if not fresh:
        return None
    return _written(max(fresh, key=lambda c: c.confidence), state)


def settle_last(hints: list[Hint], seen: Observation, text: str) -> list[Hint]:
    """The ledger with the outcome of its newest entry, judged by the rep's next turn."""
    if not hints or hints[-1]["outcome"] != "shown":
        return hints
    last = hints[-1]
    taken = last["wants"] in {*seen.acts, *(q.topic for q in seen.questions)}
    suggestion = _bare(last["suggestion"])
    if suggestion and suggestion in _bare(text):
        return [*hints[:-1], {**last, "outcome": "verbatim"}]
    return [*hints[:-1], {**last, "outcome": "paraphrased" if taken else "ignored"}]


def _reactions(state: CallState, pack: Pack) -> list[Candidate]:
    """Hints that answer what just happened."""
    cue, because = state["cue"], state["moves"][-1]["because"]
    if cue is None:
        return []
    found = [
        Candidate(reason, reason, wants, confidence)
        for reason, wants, confidence in (
            ("pressure", "acknowledge", 0.92),
            ("promise", "proof", 0.9),
            ("monologue", "question", 0.75),
            ("interrogation", "question", 0.72),
        )
        if reason in because
    ]
    if "pitch without a need" in because:
        found.append(Candidate("pitch", "pitch", "question", 0.78))
    found += [Candidate("withheld", "withheld", topic, 0.8, topic) for topic in cue["withhold"]]
    return [*found, *_objection(state, pack, cue), *_close(state, pack, cue)]


def _objection(state: CallState, pack: Pack, cue: Cue) -> list[Candidate]:
    entry = objections.open_one(state["objections"], len(state["turns"]))
    if entry is None:
        return []
    wanted = objections.find(pack.persona, entry["id"]).resolved_by
    step = next((s for s in wanted if s not in entry["steps"]), None)
    return [Candidate("objection", f"objection:{step}", step, 0.88, entry["id"])] if step else []


def _close(state: CallState, pack: Pack, cue: Cue) -> list[Candidate]:
    if cue["next_step"] == "ask_when":
        return [Candidate("close", "date", "next_step", 0.95)]
    ready = state["stage"] == "closing" and is_ready(state["feelings"], pack.scenario.accepts_next_step)
    return [Candidate("close", "close", "next_step", 0.86)] if ready and not cue["next_step"] else []


def _gaps(state: CallState, pack: Pack) -> list[Candidate]:
    """What the stage still lacks, the first gap surest; not while the rep gets on without help."""
    stage = state["stage_before"] if state["stage"] == "objection" else state["stage"]
    if len(state["observations"]) < GRACE and stage == "opening":
        return []
    turn = len(state["turns"]) - 1
    is_new = any(change["turn"] == turn for change in state["stage_changes"])
    gets_on = not is_new and turn in state["slots"].values()
    start = 0.7 - (0.15 if gets_on else 0.0)
    gaps = stages.missing(stage, state["slots"])
    return [Candidate("gap", f"gap:{slot}", slot, round(start - 0.02 * i, 2)) for i, slot in enumerate(gaps)]


def _written(candidate: Candidate, state: CallState) -> Hint:
    language = live(state)["language"]
    line = LINES[language][candidate.line]
    topic = SLOT_NAMES[language].get(candidate.topic, candidate.topic)
    return {
        "hint_id": candidate.key,
        "kind": candidate.kind,
        "text": line.text.format(topic=topic, name=candidate.topic, words=candidate.words),
        "suggestion": line.suggestion,
        "wants": candidate.wants,
        "confidence": candidate.confidence,
        "turn": len(state["turns"]) - 1,
        "source": candidate.source,
        "outcome": "shown",
    }


def _bare(text: str) -> str:
    return "".join(c for c in fold(text) if c.isalnum())
