"""The question set over the sample knowledge: how many are answered with proof, and how many refused."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from compose_knowledge import open_index
from nodes.bilingual import Language, language_of
from nodes.citations import Source
from nodes.scripts import SCRIPTS
from runtime.context import Context, User
from runtime.narrowing import ANYTHING, Filters
from runtime.passage import Passage
from runtime.scripted import ScriptedModel
from runtime.settings import load
from tests.knowledge import put
from tests.play import Heard, Play
from tests.samples import NAMES, sample

pytestmark = pytest.mark.anyio

QUESTIONS: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parents[1] / "questions" / "samples.yaml").read_text("utf-8")
)
ANSWERED_AT_LEAST = 0.9
REFUSED_AT_LEAST = 0.8


def test_the_set_is_what_it_says() -> None:
    """Enough of each kind to be a measure; each answer stands in the document that is named for it."""
    assert len(QUESTIONS) >= 60
    assert sum(language_of(one["question"]) == "zh" for one in QUESTIONS) >= 20
    assert sum("answer" not in one for one in QUESTIONS) >= 15
    for one in QUESTIONS:
        if "answer" in one:
            text = folded(sample(one["document"]).text)
            assert [part for part in one["answer"] if not any(folded(a) in text for a in part)] == []


async def test_the_rates_hold() -> None:
    """Nine of ten cite a passage that holds the answer, eight of ten others are refused."""
    right: Counter[tuple[str, Language]] = Counter()
    asked: Counter[tuple[str, Language]] = Counter()
    missed: list[str] = []
    async with open_index(load()) as knowledge:
        for name in NAMES:
            await put(knowledge, "acme", sample(name))

        async def search(query: str, *, limit: int = 5, filters: Filters = ANYTHING) -> list[Passage]:
            return await knowledge.search("acme", query, limit=limit)

        context = Context(User("acme", "ana"), lambda: ScriptedModel(scripts=SCRIPTS), search)
        for one in QUESTIONS:
            key = ("answered" if "answer" in one else "refused", language_of(one["question"]))
            asked[key] += 1
            is_right = await play_through(context, one)
            right[key] += is_right
            missed += [] if is_right else [one["question"]]
    languages: tuple[Language, ...] = ("en", "zh")
    for language in languages:
        answered, refused = ("answered", language), ("refused", language)
        assert right[answered] / asked[answered] >= ANSWERED_AT_LEAST, missed
        assert right[refused] / asked[refused] >= REFUSED_AT_LEAST, missed


async def play_through(context: Context, one: dict[str, Any]) -> bool:
    """Whether the question is answered, or refused, as the set wants it."""
    play = Play("rag", context)
    for before in one.get("after", ()):
        await play.say(before)
    heard = await play.say(one["question"])
    state = await play.state()
    if "answer" not in one:
        return not state["grade"]["answerable"]
    return (
        bool(state["grade"]["answerable"])
        and holds(cited(state), one["answer"])
        and says_so(heard, one.get("unknown", ""))
    )


def cited(state: dict[str, Any]) -> str:
    """The passages that the answer cites."""
    sources: Sequence[Source] = state["sources"]
    numbers = {int(citation["marker"].strip("[]")) for citation in state["citations"]}
    return "\n".join(sources[number - 1]["text"] for number in sorted(numbers))


def holds(text: str, answer: Sequence[Sequence[str]]) -> bool:
    return all(any(folded(one) in folded(text) for one in part) for part in answer)


def says_so(heard: Heard, unknown: str) -> bool:
    return not unknown or unknown in heard.text.partition("The playbook does not say")[2]


def folded(text: str) -> str:
    """Without separators of thousands: a sheet has none."""
    return re.sub(r"(?<=\d),(?=\d{3})", "", text).casefold()
