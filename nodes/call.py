"""The state of a practice call: plain values only, since it lives in checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from langchain_core.messages import AnyMessage
from langgraph.channels import EphemeralValue
from langgraph.graph.message import add_messages
from typing_extensions import TypedDict

from nodes.packs import Pack, load_pack
from runtime.errors import InvalidInput

CallCommand = Literal["end", "pause", "resume", "restart", "repeat", "help"]
Stage = Literal["opening", "discovery", "qualification", "value", "closing", "objection", "ended"]
Heard = Literal["turn", "end", "aside"]
"""What a run is about: words to the buyer, the end of the call, or something beside it."""
Outcome = Literal["won", "next_step", "no_decision", "lost"]


class Turn(TypedDict):
    """One thing said. Its number, used by every quote, is its index in the transcript."""

    speaker: Literal["rep", "buyer"]
    name: str
    """The buyer's name; empty for the rep."""
    text: str


class Call(TypedDict):
    """Which call this is, and whether it still runs."""

    scenario: str
    buyer: str
    language: str
    status: Literal["live", "paused", "ended"]
    outcome: Outcome | None
    ended_by: Literal["rep", "success", "turn_limit", "buyer_left"] | None


class StageChange(TypedDict):
    turn: int
    origin: Stage
    to: Stage
    reason: str


class Feelings(TypedDict):
    """The persona's state, each in [0, 1]."""

    trust: float
    interest: float
    resistance: float


class Move(TypedDict):
    """What one turn of the rep did to the persona."""

    turn: int
    because: list[str]
    trust: float
    interest: float
    resistance: float
    """The values after the move."""


class Disclosure(TypedDict):
    """A hidden fact the rep has earned."""

    fact: str
    topic: str
    turn: int
    released_by: str
    """The kind of question that did it."""


class Raised(TypedDict):
    """An objection that came up."""

    id: str
    kind: str
    turn: int
    """Turn of the rep that triggered it."""
    steps: list[str]
    """Steps of handling it the rep has taken since."""
    resolved: int | None
    """Turn of the rep that resolved it."""


class Cue(TypedDict):
    """What the buyer is to do in its next line; the same for a real model and for the scripted one."""

    tell: list[str]
    """Ids of the facts to tell now."""
    told_before: list[str]
    """Ids of facts the rep asks for again."""
    withhold: list[str]
    """Topics the rep asked about without having earned the answer."""
    unknown: list[str]
    """Topics asked about of which the buyer has nothing to say."""
    objection: str | None
    """Id of an objection to raise now."""
    answer_to: Literal["resolved", "partly", "ignored"] | None
    """How the rep dealt with the objection that was open."""
    about: str | None
    """Id of that objection."""
    next_step: Literal["accept", "ask_when", "hesitate", "refuse"] | None
    leave: bool


class Hint(TypedDict):
    """An entry of the hint ledger."""

    hint_id: str
    kind: str
    text: str
    suggestion: str
    """Words the rep could say; may be empty."""
    wants: str
    """The act, or the topic of a question, that would show that the hint was taken."""
    confidence: float
    turn: int
    source: str
    """Where a battlecard's words stand; empty for the other kinds."""
    outcome: Literal["shown", "verbatim", "paraphrased", "ignored"]


class CallInput(TypedDict, total=False):
    """What a client may send: one turn of the rep, or one command. Nobody sends himself a scorecard."""

    messages: Annotated[list[AnyMessage], add_messages]
    command: Annotated[CallCommand | None, EphemeralValue]
    """Of one run only; without the channel's help it would act again in the next."""
    scenario: Annotated[str | None, EphemeralValue]
    """Id of the pack to start with."""


class CallState(CallInput, total=False):
    """State of the coaching graph."""

    heard: Annotated[Heard, EphemeralValue]
    call: Call | None
    turns: list[Turn]
    observations: list[dict[str, Any]]
    """`Observation` with its `turn`, for each turn of the rep."""
    stage: Stage
    stage_before: Stage
    """Where an objection returns to."""
    stage_changes: list[StageChange]
    slots: dict[str, int]
    """Covered slot: turn of the rep that covered it."""
    feelings: Feelings
    moves: list[Move]
    told: list[str]
    """Facts the buyer has told, hidden or not."""
    disclosures: list[Disclosure]
    objections: list[Raised]
    next_step: dict[str, str] | None
    """`what` and `when` of an agreed next step."""
    cue: Cue | None
    hints: list[Hint]
    scorecard: dict[str, Any] | None


def fresh(pack: Pack) -> CallState:
    """A call that has not begun: every key of the state but the conversation."""
    feel = pack.persona.dispositions
    return {
        "call": {
            "scenario": pack.id,
            "buyer": pack.persona.name,
            "language": pack.language,
            "status": "live",
            "outcome": None,
            "ended_by": None,
        },
        "turns": [],
        "observations": [],
        "stage": "opening",
        "stage_before": "opening",
        "stage_changes": [],
        "slots": {},
        "feelings": {
            "trust": feel.trust.start,
            "interest": feel.interest.start,
            "resistance": feel.resistance.start,
        },
        "moves": [],
        "told": [],
        "disclosures": [],
        "objections": [],
        "next_step": None,
        "cue": None,
        "hints": [],
        "scorecard": None,
    }


async def pack_of(state: CallState, folder: Path) -> Pack:
    """The pack the running call was started with."""
    return await load_pack(live(state)["scenario"], folder)


def live(state: CallState) -> Call:
    """The call of a state that has one; raises InvalidInput where none was started."""
    call = state.get("call")
    if call is None:
        raise InvalidInput("no practice call is running; send a message to start one")
    return call
