"""Persona and scenario packs: the YAML schema, and loading with errors that name file, field and choices."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import anyio.to_thread
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from nodes.bilingual import Language
from nodes.observation import Topic
from runtime.errors import InvalidInput

Release = Literal["situation", "problem", "implication", "need_payoff", "open", "closed"]
"""A question's SPIN kind or its form; either releases a fact that lists it."""
Step = Literal["acknowledge", "clarify", "respond", "confirm"]
Trigger = Literal[
    "price_named",
    "value_unlinked",
    "value_linked",
    "competitor_named",
    "next_step_proposed",
    "budget_asked",
    "decision_maker_asked",
    "timeline_asked",
]
Share = Annotated[float, Field(ge=0, le=1)]
Lines = Annotated[list[str], Field(min_length=1)]


Occasion = Literal[
    "greeting",
    "greeting_warm",
    "agenda_ok",
    "agenda_cool",
    "withhold",
    "unknown",
    "told_before",
    "pitch_cool",
    "pitch_neutral",
    "value_warm",
    "value_neutral",
    "proof",
    "price",
    "acknowledged",
    "summary",
    "pressure",
    "dismissal",
    "promise",
    "steps_missing",
    "ignored",
    "ask_when",
    "accept",
    "accept_open",
    "hesitate",
    "refuse",
    "leave",
    "goodbye",
    "small_talk",
    "lead_opening",
    "lead_discovery",
    "lead_value",
    "lead_closing",
    "filler",
]
"""What a buyer may need words for beside facts and objections."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Disposition(_Part):
    """Where a feeling starts, and how strongly it moves."""

    start: Share
    sensitivity: float = Field(1.0, ge=0, le=3)
    """Factor on every move; 0 holds it still."""


class Dispositions(_Part):
    trust: Disposition
    interest: Disposition
    resistance: Disposition


class Fact(_Part):
    """Something the buyer tells whoever asks about its topic."""

    id: str
    topic: Topic
    text: str
    """The bare fact, for the model's prompt and the debrief."""
    say: Lines
    """In the buyer's own words; the scripted model speaks these."""


class HiddenFact(Fact):
    """Something the buyer tells only when it is earned."""

    released_by: Annotated[list[Release], Field(min_length=1)]
    min_trust: Share = 0.0


class Objection(_Part):
    id: str
    kind: Literal["price", "timing", "trust", "competitor", "authority", "need"]
    triggers: Annotated[list[Trigger], Field(min_length=1)]
    say: Lines
    """First words first: the next ones come when the rep does not answer."""
    explain: Lines
    """What the buyer answers when asked what is behind it."""
    resolved_by: Annotated[list[Step], Field(min_length=1)]
    """Steps the rep must take, over any number of turns, before it counts as resolved."""
    resolved_say: Lines
    text: str
    """What stands behind it, for the model's prompt."""


class Persona(_Part):
    name: str
    title: str
    company: str
    role: Literal["economic_buyer", "champion", "evaluator", "gatekeeper"]
    archetype: Literal["price_sensitive", "sceptical", "silent", "busy", "interested", "comparing"]
    manner: str
    """How the persona talks, one or two sentences."""
    context: str
    """What the buyer knows about its own company; no hidden fact may stand here."""
    competitors: list[str] = []
    """Names of other vendors this buyer knows."""
    goals: Lines
    decision_criteria: Lines
    dispositions: Dispositions
    facts: list[Fact]
    hidden_facts: Annotated[list[HiddenFact], Field(min_length=1)]
    objections: Annotated[list[Objection], Field(min_length=1)]
    voice: dict[Occasion, Lines] = {}
    """The persona's own lines for the scripted model; {name}, {fact} and {when} are filled in."""


class Acceptance(_Part):
    """How the buyer must feel to agree to a next step."""

    trust: Share
    """At least."""
    interest: Share
    """At least."""
    resistance: Share
    """At most."""


class Scenario(_Part):
    title: str
    brief: str
    """What the rep is told before the call."""
    goal: str
    accepts_next_step: Acceptance
    turn_limit: int = Field(24, ge=4, le=200)
    """Turns of the rep."""


class Pack(_Part):
    """One file: a buyer and the call to practise with it."""

    id: str
    language: Language
    difficulty: Literal["easy", "medium", "hard"]
    persona: Persona
    scenario: Scenario

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Pack:
        persona = self.persona
        for group in ([*persona.facts, *persona.hidden_facts], persona.objections):
            ids = [item.id for item in group]
            if twice := sorted({i for i in ids if ids.count(i) > 1}):
                raise ValueError(f"ids must be unique, these occur twice: {', '.join(twice)}")
        return self


async def load_pack(pack_id: str, folder: Path) -> Pack:
    """The pack of `folder/<pack_id>.yaml`; raises InvalidInput naming the known packs or the broken field."""
    return await anyio.to_thread.run_sync(_load, pack_id, folder)


async def known_packs(folder: Path) -> list[str]:
    """Ids of the packs in `folder`, sorted; the first is the default scenario."""
    return await anyio.to_thread.run_sync(_ids, folder)


def _ids(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.yaml"))


def _load(pack_id: str, folder: Path) -> Pack:
    known = _ids(folder)
    # Looked up among the names, never joined to the path: a client's string must not leave the folder.
    if pack_id not in known:
        raise InvalidInput(
            f"unknown scenario {pack_id!r}; known: {', '.join(known) or f'none in {folder}'}", known=known
        )
    path = folder / f"{pack_id}.yaml"
    return parse_pack(path.read_text("utf-8"), path.name)


def parse_pack(text: str, file: str) -> Pack:
    """The pack in `text`; raises InvalidInput that names `file`, line or field, and the allowed values."""
    try:
        data: Any = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as exc:
        raise InvalidInput(f"{file}: not valid YAML: {exc}", file=file) from exc
    try:
        pack = Pack.model_validate(data)
    except ValidationError as exc:
        faults = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'pack'}: {e['msg']}, got {e['input']!r:.60}"
            for e in exc.errors()
        )
        raise InvalidInput(f"{file}: {faults}", file=file) from exc
    if f"{pack.id}.yaml" != file:
        raise InvalidInput(f"{file}: id: must be the file's name without .yaml, got {pack.id!r}", file=file)
    return pack
