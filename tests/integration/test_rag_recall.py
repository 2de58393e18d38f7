"""Answers of before, served while they hold: with real Redis, and the words' own vectors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import anyio
import pytest
from redis.asyncio import Redis

from ingestion.embedders.bm25 import Bm25Embedder
from nodes.scripts import SCRIPTS
from runtime.answers import RedisAnswers
from runtime.context import Context
from runtime.errors import KnowledgeUnavailable
from runtime.narrowing import ANYTHING, Filters
from runtime.passage import Passage
from runtime.redis import connect
from runtime.scripted import Line, ScriptedModel
from tests.fakes import context, search, stands
from tests.play import Heard, Play

pytestmark = pytest.mark.anyio

QUESTION = "What does Harborline charge for onboarding?"
AGAIN = "what does harborline charge for the onboarding?"
CHINESE = "团队版每个席位多少钱？"
SCRIPTED = ScriptedModel(scripts=SCRIPTS)
words = Bm25Embedder().weights


@dataclass
class Tenant:
    """A tenant's context, with what its runs did; each `ask` is a thread of its own."""

    redis: Redis
    name: str = "acme"
    revision: str = "1"
    model: ScriptedModel = field(default_factory=lambda: SCRIPTED)
    searches: list[str] = field(default_factory=list)

    @property
    def context(self) -> Context:
        made = context(self.model, self.search)
        cache = RedisAnswers(self.redis, self.name, words, similarity=0.99)
        return replace(made, answers=cache, knowledge_revision=self.now_at)

    async def now_at(self) -> str:
        return self.revision

    async def search(self, query: str, *, limit: int = 5, filters: Filters = ANYTHING) -> list[Passage]:
        self.searches.append(query)
        return await search(query, limit=limit, filters=filters)

    async def ask(self, question: str, **inputs: Any) -> Heard:
        return await Play("rag", self.context).say(question, **inputs)

    async def is_served(self, question: str, **inputs: Any) -> bool:
        """Whether an answer of before came, without a search."""
        self.searches.clear()
        heard = await self.ask(question, **inputs)
        marked = [one for one in heard.metadata if one.get("cached")]
        assert bool(marked) == (not self.searches)
        return bool(marked)


@pytest.fixture
async def acme(client: Redis) -> Tenant:
    return Tenant(client)


@pytest.mark.parametrize(
    ("question", "again"), [(QUESTION, AGAIN), (CHINESE, "请问团队版每个席位多少钱呢?")], ids=["en", "zh"]
)
async def test_the_same_question_gets_the_same_answer(acme: Tenant, question: str, again: str) -> None:
    """Streamed as any other, with its citations, and marked with when it was made."""
    first = await acme.ask(question)
    play = Play("rag", acme.context)
    acme.searches.clear()
    heard, state = await play.say(again), await play.state()
    assert acme.searches == []
    assert heard.text == first.text and heard.order == first.order
    assert heard.custom == first.custom and all(stands(one) for one in heard.named("citation"))
    (told,) = heard.metadata
    message = state["messages"][-1]
    for marks in (told, message.response_metadata):
        assert marks["cached"] is True and marks["made_at"].endswith("+00:00")
    assert [one["type"] for one in message.content[0]["annotations"]] == ["citation"] * len(
        heard.named("citation")
    )
    assert (
        state["citations"] and state["sources"] and state["parts"] == [{"question": again, "answered": True}]
    )


async def test_a_new_answer_bears_no_mark(acme: Tenant) -> None:
    """Else nobody could tell."""
    heard = await acme.ask(QUESTION)
    assert not any("cached" in one or "made_at" in one for one in heard.metadata)


async def test_what_has_changed_is_seen_by_the_next_question(acme: Tenant) -> None:
    """Any change of the tenant's documents: an answer of before may be wrong, and is not served again."""
    await acme.ask(QUESTION)
    assert await acme.is_served(QUESTION)
    acme.revision = "2"
    assert not await acme.is_served(QUESTION)
    assert await acme.is_served(QUESTION)
    acme.revision = "1"
    assert not await acme.is_served(QUESTION)


async def test_what_changes_while_it_is_answered_is_not_kept(acme: Tenant) -> None:
    """The answer may be from before the change, and its passages from after it."""
    made = acme.context

    async def changing(query: str, *, limit: int = 5, filters: Filters = ANYTHING) -> list[Passage]:
        acme.revision = "2"
        return await search(query, limit=limit, filters=filters)

    await Play("rag", replace(made, search=changing)).say(QUESTION)
    for revision in ("1", "2"):
        acme.revision = revision
        assert not await acme.is_served(QUESTION)


async def test_another_tenant_is_never_served(acme: Tenant) -> None:
    """Not even with the same documents at the same revision."""
    await acme.ask(QUESTION)
    assert not await Tenant(acme.redis, "other").is_served(QUESTION)
    assert await acme.is_served(QUESTION)


@pytest.mark.parametrize(
    ("asked", "then"),
    [
        (
            "Which discount is there for 30 seats on an annual contract?",
            "Which discount is there for 60 seats on an annual contract?",
        ),
        ("团队版每个席位多少钱？", "What is the price per seat of the Team plan?"),
        ("Does Harborline charge for onboarding?", "Does Harborline not charge for onboarding?"),
        ("What does Harborline charge for onboarding?", "Why does Harborline charge for onboarding?"),
        ("What does Harborline charge for onboarding?", "What does Loomdesk charge for onboarding?"),
    ],
    ids=["number", "language", "negation", "question word", "name"],
)
async def test_what_is_nearly_the_same_is_another_question(acme: Tenant, asked: str, then: str) -> None:
    """A wrong figure with a citation is worse than a second of waiting."""
    await acme.ask(asked)
    assert not await acme.is_served(then)


async def test_other_filters_and_another_model_are_another_question(acme: Tenant) -> None:
    """What the one may not find the other must not be told; and a model's answers are its own."""
    filters = {"documents": ["battlecard.pdf"]}
    await acme.ask(QUESTION, filters=filters)
    assert not await acme.is_served(QUESTION)
    assert await acme.is_served(QUESTION, filters=filters)
    acme.model = Other(scripts=SCRIPTS)
    assert not await acme.is_served(QUESTION)


class Other(ScriptedModel):
    """A model of another kind."""

    @property
    def _llm_type(self) -> str:
        return "other"


@pytest.mark.parametrize(
    "question",
    [
        "Who won the 1998 world cup?",
        "What does Harborline charge for onboarding, and who is the CEO of Loomdesk?",
    ],
    ids=["declined", "in part"],
)
async def test_what_is_not_answered_is_not_kept(acme: Tenant, question: str) -> None:
    """The document that answers it may be ingested at any time, and small talk of a search costs little."""
    await acme.ask(question)
    assert await acme.redis.keys("*") == []
    assert not await acme.is_served(question)


async def test_an_answer_that_was_corrected_is_not_kept(acme: Tenant) -> None:
    """A wrong sentence is told once at most."""
    scripts = {
        **SCRIPTS,
        "answer": lambda scene: Line("Harborline charges 9,999 dollars for onboarding [1]."),
    }
    acme.model = ScriptedModel(scripts=scripts)
    heard = await acme.ask(QUESTION)
    assert heard.named("verification")[0]["unsupported"]
    assert await acme.redis.keys("*") == []


async def test_what_the_conversation_adds_to_is_answered_anew(acme: Tenant) -> None:
    """ "And for 60 seats?" means something else in each conversation."""
    discount = "Which discount is there for 30 seats on an annual contract?"
    await acme.ask(discount)
    for first in (discount, "Which discount is there for 60 seats on an annual contract?"):
        play = Play("rag", acme.context)
        await play.say(first)
        acme.searches.clear()
        heard = await play.say("And for 60 seats?")
        assert acme.searches and not any(one.get("cached") for one in heard.metadata)


async def test_it_is_off_by_default() -> None:
    """Without a cache in the context nothing is asked of one, and the way is the one without it."""
    play = Play("rag", context(SCRIPTED))
    for _ in range(2):
        heard = await play.say(QUESTION)
        assert "4,000" in heard.text and not any("cached" in one for one in heard.metadata)
    steps = [one.next async for one in play.graph.aget_state_history(play.config)]
    assert {"recall", "remember"}.isdisjoint(step for steps_of_one in steps for step in steps_of_one)


@pytest.fixture
async def nowhere() -> AsyncIterator[Redis]:
    """A client of a Redis that is not there."""
    async with connect("unix:///nowhere/redis.sock") as client:
        yield client


async def test_without_redis_every_question_is_answered_anew(nowhere: Redis) -> None:
    """The cache is no reason to refuse."""
    tenant = Tenant(nowhere)
    for _ in range(2):
        assert not await tenant.is_served(QUESTION)


@pytest.mark.parametrize("hangs", [False, True], ids=["fails", "hangs"])
async def test_where_the_revision_is_not_known_nothing_is_served(acme: Tenant, hangs: bool) -> None:
    """Whether an answer still holds cannot be told then."""
    await acme.ask(QUESTION)

    async def unknown() -> str:
        await anyio.sleep(100 if hangs else 0)
        raise KnowledgeUnavailable

    acme.searches.clear()
    heard = await Play("rag", replace(acme.context, knowledge_revision=unknown)).say(QUESTION)
    assert acme.searches and "4,000" in heard.text
    assert await acme.is_served(QUESTION)


async def test_it_serves_through_the_front_door(acme: Tenant) -> None:
    """Where a rep asks."""
    await Play("assistant", acme.context).say(QUESTION)
    acme.searches.clear()
    heard = await Play("assistant", acme.context).say(AGAIN)
    assert acme.searches == [] and heard.metadata[-1]["cached"] is True and "4,000" in heard.text
