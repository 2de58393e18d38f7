"""Answers that are kept in Redis: what is found again, for whom and for how long."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest
from redis.asyncio import Redis

from ingestion.embedders.bm25 import Bm25Embedder
from runtime.answers import RedisAnswers, cosine
from runtime.context import KeptAnswer
from runtime.redis import connect

pytestmark = pytest.mark.anyio

QUESTION = "What does Harborline charge for onboarding?"
ANSWER = {"text": "4,000 dollars [1]."}
words = Bm25Embedder().weights


@dataclass
class Clock:
    now: float = 1_700_000_000

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


Open = Callable[..., RedisAnswers]


@pytest.fixture
def answers(client: Redis, clock: Clock) -> Open:
    """A tenant's answers."""
    return lambda tenant="acme", **given: RedisAnswers(client, tenant, words, now=clock, **given)


async def find(
    answers: RedisAnswers,
    question: str = QUESTION,
    *,
    revision: str = "1",
    under: str = "m",
    same: Callable[[str], bool] = lambda other: True,
) -> KeptAnswer | None:
    return await answers.find(question, revision=revision, under=under, same=same)


async def keep(answers: RedisAnswers, question: str = QUESTION, revision: str = "1", **answer: Any) -> None:
    await answers.keep(question, answer or ANSWER, revision=revision, under="m")


async def size(client: Redis) -> set[int]:
    """Of each hash."""
    return {await client.hlen(key) for key in await client.keys("*answers*")}


async def test_it_is_found_by_the_words_of_its_question(answers: Open) -> None:
    """With when it was made; other forms of the words are the same words."""
    await keep(answers())
    found = await find(answers(), "what does harborline charge for the onboarding")
    assert found == KeptAnswer(QUESTION, "2023-11-14T22:13:20+00:00", ANSWER)
    assert await find(answers(), "What does Loomdesk charge for onboarding?") is None
    assert await find(answers(), "the of") is None


@pytest.mark.parametrize("other", [{"revision": "2"}, {"under": "n"}, {"same": lambda question: False}])
async def test_whatever_is_not_equal_is_a_miss(answers: Open, other: dict[str, Any]) -> None:
    """Another state of the knowledge, another model or filter, a question that is not the same."""
    await keep(answers())
    assert await find(answers(), **other) is None


async def test_another_tenant_never_finds_it(answers: Open) -> None:
    """Also one whose name looks like a part of the key."""
    await keep(answers())
    for tenant in ("other", "acm", "acme:answers", "{acme}", "ACME"):
        assert await find(answers(tenant)) is None
    assert await find(answers())


async def test_less_similar_is_found_where_that_is_wanted(answers: Open) -> None:
    """The most similar first."""
    await keep(answers(), "What does Harborline charge for onboarding and training?", text="both")
    near = answers(similarity=0.8)
    found = await find(near)
    assert found and found.answer == {"text": "both"} and await find(answers()) is None
    await keep(answers())
    found = await find(near)
    assert found and found.answer == ANSWER


async def test_it_is_forgotten_after_a_while(answers: Open, clock: Clock, client: Redis) -> None:
    """And the whole tenant's, when nobody asks any more."""
    await keep(answers(age_s=100))
    clock.now += 99
    assert await find(answers(age_s=100))
    clock.now += 2
    assert await find(answers(age_s=100)) is None
    assert await client.keys("*") == []
    await keep(answers(age_s=100))
    assert {0 < await client.ttl(key) <= 100 for key in await client.keys("*")} == {True}


async def test_the_oldest_go_first(answers: Open, clock: Clock, client: Redis) -> None:
    """A tenant takes no more than its share of Redis."""
    for number in range(8):
        clock.now += 1
        await keep(answers(most=5), f"question {number}")
    assert await size(client) == {5}
    assert await find(answers(similarity=0.1), "question", same=lambda kept: kept == "question 2") is None
    assert await find(answers(similarity=0.1), "question", same=lambda kept: kept == "question 3")


async def test_an_answer_takes_the_place_of_the_one_before(answers: Open, client: Redis) -> None:
    """The same question, asked by two at once, is kept once."""
    await keep(answers(), text="old")
    await keep(answers(), text="new")
    found = await find(answers())
    assert found and found.answer == {"text": "new"} and await size(client) == {1}


async def test_answers_of_another_revision_are_dropped(answers: Open, client: Redis) -> None:
    """By the next question and by the next answer: none of them is ever served again."""
    await keep(answers())
    await keep(answers(), "What is the price of the Team plan?")
    assert await size(client) == {2}
    await keep(answers(), revision="2")
    assert await size(client) == {1}
    assert await find(answers(), revision="3") is None
    assert await size(client) == set()


async def test_what_is_damaged_is_a_miss(answers: Open, client: Redis) -> None:
    """A value of another release, or half of one, costs an answer made anew."""
    await keep(answers())
    for key in await client.keys("*"):
        for field in await client.hkeys(key):
            await client.hset(key, field, b'{"question": 1')
            assert await find(answers()) is None
    await keep(answers())
    await client.delete("{acme}:answers:answers")
    assert await find(answers()) is None


@pytest.fixture
async def nowhere() -> AsyncIterator[Redis]:
    """A client of a Redis that is not there."""
    async with connect("unix:///nowhere/redis.sock") as client:
        yield client


async def test_without_redis_nothing_is_found_and_nothing_kept(nowhere: Redis) -> None:
    """The rep gets the answer all the same."""
    answers = RedisAnswers(nowhere, "acme", words)
    await keep(answers)
    assert await find(answers) is None


async def test_a_redis_that_hangs_is_not_waited_for(tmp_path: Path) -> None:
    """A cache may not cost more than it spares."""
    path = tmp_path / "redis.sock"
    async with await anyio.create_unix_listener(path), connect(f"unix://{path}") as hanging:
        answers = RedisAnswers(hanging, "acme", words)
        with anyio.fail_after(9):
            await keep(answers)
            assert await find(answers) is None


def test_similarity_is_the_cosine() -> None:
    """Nothing is similar to a question without words."""
    assert cosine({1: 1.0, 2: 1.0}, {2: 1.0, 1: 1.0}) == pytest.approx(1)
    assert cosine({1: 3.0}, {1: 3.0, 2: 4.0}) == pytest.approx(0.6)
    assert cosine({1: 1.0}, {2: 1.0}) == cosine({}, {1: 1.0}) == cosine({}, {}) == 0
