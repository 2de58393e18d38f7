"""Script for `buyer`: follows the cue line by line, in the persona's voice and mood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from nodes.scripts.buyer_lines import LINES
from runtime.scripted import Line, Scene

_MAX_PARTS: Final = 3
"""People on the phone do not say more at once."""
_WARM: Final = 0.15
"""How far trust must lie above resistance for a warm line, and below it for a cool one."""


def reply(scene: Scene) -> Line:
    """What the buyer says: reaction, answer, objection or decision, and who goes on."""
    facts = scene.brief.facts if scene.brief else {}
    talk = _Talk(facts, [message.text for message in scene.messages if message.type == "ai"])
    return Line(_say(talk, facts["cue"], facts["rep_did"]))


class _Talk:
    """Chooses lines that were not said before, the same ones for the same conversation."""

    def __init__(self, facts: Mapping[str, Any], said: Sequence[str]) -> None:
        self.language: str = facts["language"]
        self.stage: str = facts["stage"]
        feelings = facts["feelings"]
        self.warmth: float = feelings["trust"] - feelings["resistance"]
        self._facts = facts
        self._said = "\n".join(said)

    def line(self, occasion: str, **values: str) -> str:
        """A line for the occasion, the persona's own before the common ones."""
        voice = self._facts["voice"]
        options = voice.get(occasion) or LINES[self.language][occasion]
        name: str = self._facts["persona"]["name"]
        filled = {"name": name, **values}
        return self.choose([_fill(option, filled) for option in options])

    def mood(self, occasion: str) -> str:
        """The warm, neutral or cool line of an occasion, whichever of them there are."""
        wanted = "warm" if self.warmth > _WARM else "cool" if self.warmth < -_WARM else "neutral"
        known = {**LINES[self.language], **self._facts["voice"]}
        choices = [f"{occasion}_{wanted}", f"{occasion}_neutral", f"{occasion}_ok", occasion]
        return self.line(next(key for key in choices if key in known))

    def next_of(self, options: Sequence[str]) -> str:
        """The first that was not said yet, else the last: they are written in the order of the call."""
        return next((option for option in options if option not in self._said), options[-1])

    def choose(self, options: Sequence[str]) -> str:
        fresh = [option for option in options if option not in self._said]
        pool = fresh or list(options)
        turn: int = self._facts["turn"]
        return pool[turn % len(pool)]


def _say(talk: _Talk, cue: Mapping[str, Any], did: Mapping[str, Any]) -> str:
    acts = set(did["acts"])
    if cue["leave"]:
        return talk.line("leave")
    parts = _reaction(talk, cue, acts, did["links_value"])
    parts += _answers(talk, cue)
    if cue["objection"]:
        parts.append(talk.next_of(cue["objection"]["say"]))
    elif decision := _decision(talk, cue, did):
        parts.append(decision)
    if not parts:
        parts.append(talk.line("filler"))
    parts = parts[: _MAX_PARTS - 1] + parts[-1:] if len(parts) > _MAX_PARTS else parts
    if lead := _lead(talk, cue, acts, parts):
        parts.append(lead)
    return ("" if talk.language == "zh" else " ").join(part.strip() for part in parts if part.strip())


def _reaction(talk: _Talk, cue: Mapping[str, Any], acts: set[str], linked: bool) -> list[str]:
    """To how the rep spoke, before what the rep asked."""
    if cue["answer_to"]:
        return [_about_objection(talk, cue, asked="clarify" in acts)]
    for act in ("pressure", "dismissal", "promise"):
        if act in acts:
            return [talk.line(act)]
    opening = talk.stage in ("opening", "discovery")
    parts = [talk.mood("greeting")] if opening and "greeting" in acts else []
    parts += [talk.line("small_talk")] if "small_talk" in acts else []
    if "goodbye" in acts:
        return [*parts, talk.line("goodbye")]
    if opening and "agenda" in acts:
        return [*parts, _consent(talk)]
    if "value_claim" in acts:
        return [*parts, talk.mood("value") if linked else talk.mood("pitch")]
    if parts:
        return parts
    for act, occasion in (("summarise", "summary"), ("proof", "proof"), ("price", "price")):
        if act in acts and not cue["objection"]:
            return [talk.line(occasion)]
    if "acknowledge" in acts and not cue["tell"]:
        return [talk.line("acknowledged")]
    return []


def _consent(talk: _Talk) -> str:
    return talk.line("agenda_cool" if talk.warmth < 0 else "agenda_ok")


def _about_objection(talk: _Talk, cue: Mapping[str, Any], *, asked: bool) -> str:
    about = cue["about"]
    if cue["answer_to"] == "resolved":
        return talk.choose(about["resolved_say"])
    if cue["answer_to"] == "partly" and asked:
        return talk.next_of(about["explain"])
    if cue["answer_to"] == "partly":
        return talk.line("steps_missing")
    again = talk.next_of(about["say"])
    return f"{talk.line('ignored')}{'' if talk.language == 'zh' else ' '}{again}"


def _answers(talk: _Talk, cue: Mapping[str, Any]) -> list[str]:
    if cue["tell"]:
        return [talk.choose(fact["say"]) for fact in cue["tell"]]
    if cue["withhold"]:
        return [talk.line("withhold")]
    if cue["told_before"]:
        return [talk.line("told_before", fact=cue["told_before"][0]["say"][0])]
    return [talk.line("unknown")] if cue["unknown"] else []


def _decision(talk: _Talk, cue: Mapping[str, Any], did: Mapping[str, Any]) -> str:
    answer = cue["next_step"]
    if answer is None:
        return ""
    if answer == "accept":
        return talk.line("accept", when=_capital(did["when"])) if did["when"] else talk.line("accept_open")
    return talk.line(answer)


def _lead(talk: _Talk, cue: Mapping[str, Any], acts: set[str], parts: Sequence[str]) -> str:
    """A word that gives the floor back, when the line asks or decides nothing and the rep asked nothing."""
    busy = cue["objection"] or cue["next_step"] or cue["answer_to"] in ("partly", "ignored")
    if busy or acts & {"question", "goodbye"} or parts[-1].endswith(("?", "？")):
        return ""
    stage = "discovery" if talk.stage == "qualification" else talk.stage
    return talk.line(f"lead_{stage}") if f"lead_{stage}" in LINES[talk.language] else ""


def _fill(line: str, values: Mapping[str, str]) -> str:
    """`{name}` and the like filled in; other braces of a pack's author stay."""
    for key, value in values.items():
        line = line.replace(f"{{{key}}}", value)
    return line


def _capital(text: str) -> str:
    """`on Thursday at ten` as the beginning of a sentence, without its preposition."""
    bare = text.removeprefix("on ").removeprefix("at ")
    return bare[:1].upper() + bare[1:]
