"""A question to the knowledge: its state, and how it is made ready to be looked up."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from langchain_core.messages import AnyMessage
from langgraph.graph import MessagesState
from langgraph.graph.message import add_messages
from langgraph.runtime import Runtime
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from nodes.ask import ask
from nodes.bilingual import language_of
from nodes.citations import Citation, Source
from runtime.brief import write_brief
from runtime.context import Context
from runtime.errors import InvalidInput, ModelOutputInvalid
from runtime.narrowing import Filters
from runtime.validation import parse_object

ASK: Final = "/ask"
"""Prefix by which a rep puts a question to the playbook in the middle of a call."""
MAX_PARTS: Final = 3
"""Questions that one message is split into at most."""
_HISTORY: Final = 6
_HISTORY_CHARS: Final = 400
"""Of each of the messages before this one that the model is shown."""
_TALK_CHARS: Final = 40

_PLAN: Final = """
Make the rep's message ready to be looked up in the playbook. `search` is false only for a greeting,
thanks or the like; whatever asks for a fact is looked up. `questions` holds what the message asks, in its
own language, as one question, or as up to three where it asks for several things. Each must be understood
by somebody who has not read the conversation: put in what "it", "there" or "and for 50 seats?" refers to.
`last_question` is the one before, if any. Change no name and no figure.
"""
_CHAT: Final = """
Answer the rep's greeting or thanks in one short sentence, in the language of `language`, and offer to look
something up in the playbook. State no fact.
"""
_SEVERAL: Final = re.compile(
    r"[?？].*[?？]|[,;，；、\n]|\b(and|also|plus|as well as)\b|以及|还有|并且|同时|另外|而且|和|与",
    re.I | re.DOTALL,
)
_ASKS: Final = re.compile(r"[?？]\s*$")


class Plan(BaseModel):
    """What of the message is looked up."""

    model_config = ConfigDict(extra="forbid")
    search: bool
    questions: list[str] = Field(description="One to three questions that stand alone.")


class Asked(MessagesState, total=False):
    """What the rag graph takes: the conversation, what narrows the search, and what it goes on from."""

    asked: str
    """The last question, as one that stands alone."""
    filters: dict[str, Any]
    """Which passages this run may find, as `runtime.narrowing.Filters`; {} for all."""


class Part(TypedDict):
    """What became of one question of a message."""

    question: str
    answered: bool


class Missed(TypedDict):
    """What an answer is to be kept under, since none of before was found."""

    revision: str
    """The knowledge's, before it was searched."""
    under: str


class Asking(TypedDict, total=False):
    """State of the rag graph."""

    messages: Annotated[list[AnyMessage], add_messages]
    asked: str
    filters: dict[str, Any]
    """As given; {} from `plan` on, so that a thread's next run is not narrowed by this one's."""
    narrowing: dict[str, Any]
    """This run's filters, checked."""
    question: str
    """The rep's words."""
    parts: list[Part]
    """What was made of them; [] for small talk."""
    alone: bool
    """One question, to which the conversation adds nothing: an answer of before to the same would do."""
    missed: Missed | None
    wordings: list[str]
    """Other words for what is still open, for the wider search."""
    rounds: int
    """Searches made."""
    knowledge: Literal["found", "empty", "unavailable"]
    """Of the last search."""
    found: list[Source]
    """What the last search found, and no search before."""
    seen: list[str]
    """Keys of all that was found."""
    sources: list[Source]
    """What the answer is made from: [1] is the first. For a question that is declined, what is nearest."""
    grade: dict[str, Any]
    citations: list[Citation]
    unsupported: list[str]
    """Sentences of the answer that their passage does not bear out."""


async def plan(state: Asking, runtime: Runtime[Context]) -> dict[str, Any]:
    """The questions to look up; raises InvalidInput for an empty message and for filters that are none.

    The model is not asked about the first message of a thread that is one plain question: a rep is waiting,
    and it could only give back the same words. A plan that fits no schema is as good as none.
    """
    question = question_of(state)
    narrowing = _narrowing(state.get("filters") or {})
    history = _history(state)
    planned: list[str] | None = [question]
    if history or not _is_plain(question):
        planned = await _planned(question, history, state.get("asked", ""), runtime)
    questions = [question] if planned is None else planned
    return {
        "filters": {},
        "narrowing": narrowing,
        "question": question,
        "asked": questions[-1] if questions else state.get("asked", ""),
        "parts": [{"question": one, "answered": False} for one in questions],
        "alone": len(questions) == 1 and (not history or planned == [question]),
        "missed": None,
        "wordings": [],
        "rounds": 0,
        "found": [],
        "seen": [],
        "sources": [],
        "grade": {"answerable": False},
        "citations": [],
        "unsupported": [],
    }


async def chat(state: Asking, runtime: Runtime[Context]) -> dict[str, Any]:
    """A short word back to a greeting, streamed."""
    question = state["question"]
    brief = write_brief("chat", _CHAT, message=question, language=language_of(question))
    return {"messages": [await runtime.context.model().ainvoke([brief])]}


def question_of(state: Mapping[str, Any]) -> str:
    """The rep's last message without its prefix; raises InvalidInput when nothing is left."""
    history = state.get("messages", [])
    text = history[-1].text.strip() if history and history[-1].type == "human" else ""
    text = text.removeprefix(ASK).strip()
    if not text:
        raise InvalidInput("the question is empty or holds no text")
    return text


def open_parts(state: Asking) -> list[str]:
    """The questions that nothing has answered yet."""
    return [part["question"] for part in state["parts"] if not part["answered"]]


def _narrowing(given: Mapping[str, Any]) -> dict[str, Any]:
    """The filters, checked, in plain values; raises InvalidInput."""
    try:
        filters = parse_object(Filters, given)
    except InvalidInput as exc:
        allowed = ", ".join(Filters.model_fields)
        raise InvalidInput(f"the filters are not valid: {exc}. Allowed are {allowed}") from exc
    return filters.model_dump(mode="json", exclude_defaults=True)


async def _planned(
    question: str, history: Sequence[Mapping[str, str]], asked: str, runtime: Runtime[Context]
) -> list[str] | None:
    """None for a plan that fits no schema, [] for small talk."""
    brief = write_brief("plan", _PLAN, message=question, last_question=asked, conversation=history)
    try:
        made = await ask(runtime.context.model(), Plan, [brief])
    except ModelOutputInvalid:
        return None
    if not made.search and _may_be_talk(question):
        return []
    wanted = dict.fromkeys(text for one in made.questions if (text := one.strip()))
    return list(wanted)[:MAX_PARTS] or None


def _history(state: Asking) -> list[dict[str, str]]:
    """What was said before this message, in short."""
    shown = [m for m in state["messages"][:-1] if m.type in ("human", "ai") and m.text.strip()]
    return [
        {"role": "rep" if m.type == "human" else "assistant", "text": m.text.strip()[:_HISTORY_CHARS]}
        for m in shown[-_HISTORY:]
    ]


def _is_plain(question: str) -> bool:
    return bool(_ASKS.search(question)) and not _SEVERAL.search(question)


def _may_be_talk(question: str) -> bool:
    """Whatever a model says of it: a question mark, a figure or many words are never small talk."""
    return len(question) <= _TALK_CHARS and not re.search(r"[?？\d]", question)
