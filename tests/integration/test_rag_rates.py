"""The question set over the sample knowledge: how many are answered with proof, and how many refused."""

from __future__ import annotations

import pytest

from benchmarks.answers.playing import play_all
from benchmarks.answers.questions import SAMPLES, read_questions
from benchmarks.answers.report import ANSWERED_AT_LEAST, REFUSED_AT_LEAST, share
from benchmarks.answers.verdicts import holds
from compose_knowledge import open_index
from nodes.scripts import SCRIPTS
from runtime.context import Context, User
from runtime.narrowing import ANYTHING, Filters
from runtime.passage import Passage
from runtime.scripted import ScriptedModel
from runtime.settings import load
from tests.knowledge import put
from tests.samples import NAMES, sample

pytestmark = pytest.mark.anyio

QUESTIONS = read_questions(SAMPLES)


def test_the_set_is_what_it_says() -> None:
    """Enough of each kind to be a measure; each answer stands in the document that is named for it."""
    assert len(QUESTIONS) >= 60
    assert sum(one.language == "zh" for one in QUESTIONS) >= 20
    assert sum(not one.answer for one in QUESTIONS) >= 15
    for one in QUESTIONS:
        assert not one.answer or holds(sample(one.document).text, one.answer), one.question


async def test_the_rates_hold() -> None:
    """Nine of ten cite a passage that holds the answer, eight of ten others are refused."""
    async with open_index(load()) as knowledge:
        for name in NAMES:
            await put(knowledge, "acme", sample(name))

        async def search(query: str, *, limit: int = 5, filters: Filters = ANYTHING) -> list[Passage]:
            return await knowledge.search("acme", query, limit=limit)

        context = Context(User("acme", "ana"), lambda: ScriptedModel(scripts=SCRIPTS), search)
        played = await play_all(context, QUESTIONS)
    missed = [one.question.question for one in played if not one.right]
    for language in ("en", "zh"):
        mine = [one for one in played if one.question.language == language]
        assert share(one for one in mine if one.question.answer) >= ANSWERED_AT_LEAST, missed
        assert share(one for one in mine if not one.question.answer) >= REFUSED_AT_LEAST, missed
