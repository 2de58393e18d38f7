"""Questions to a part of the playbook."""

from __future__ import annotations

from typing import Any

import pytest

from nodes.scripts import SCRIPTS
from runtime.errors import InvalidInput
from runtime.narrowing import ANYTHING, Filters
from runtime.passage import Passage
from runtime.scripted import ScriptedModel
from tests.fakes import context, search
from tests.play import Play

pytestmark = pytest.mark.anyio

QUESTION = "What does Harborline charge for onboarding?"
COMPOUND = "What does Harborline charge for onboarding, and who may waive the fee?"


class Noted:
    """The knowledge, and the filters of all searches."""

    def __init__(self) -> None:
        self.filters: list[Filters] = []

    async def __call__(self, query: str, *, limit: int = 5, filters: Filters = ANYTHING) -> list[Passage]:
        self.filters.append(filters)
        return await search(query, limit=limit, filters=filters)


def play(find: Noted) -> Play:
    return Play("rag", context(ScriptedModel(scripts=SCRIPTS), find))


async def test_every_search_of_a_run_is_narrowed() -> None:
    """The wider search too: else it would find what the first one may not."""
    noted = Noted()
    filters = {"documents": ["battlecard.pdf"], "languages": ["en"], "since": "2026-01-01"}
    heard = await play(noted).say(COMPOUND, filters=filters)
    assert {c["document"] for c in heard.named("citation")} == {"battlecard.pdf"} and "4,000" in heard.text
    assert len(noted.filters) > 2 and set(map(repr, noted.filters)) == {repr(Filters(**filters))}


async def test_what_the_filters_leave_out_is_not_known() -> None:
    """Rather than found somewhere else."""
    heard = await play(Noted()).say(QUESTION, filters={"documents": ["playbook.docx"]})
    assert "4,000" not in heard.text and heard.text.startswith("The playbook does not")


async def test_filters_are_of_one_run() -> None:
    """The thread's next question is asked of everything, unless it says otherwise."""
    noted = Noted()
    thread = play(noted)
    await thread.say(QUESTION, filters={"documents": ["playbook.docx"]})
    noted.filters.clear()
    assert "4,000" in (await thread.say(QUESTION)).text
    assert set(noted.filters) == {ANYTHING}
    assert (await thread.state())["narrowing"] == {}


@pytest.mark.parametrize(
    ("filters", "named"),
    [
        ({"colour": ["red"]}, "colour"),
        ({"documents": "price-list.xlsx"}, "documents"),
        ({"documents": [""]}, r"documents\.0"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-02-01", "until": "2026-01-01"}, "later than until"),
        ({"tags": ["x"] * 101}, "100"),
        (["documents"], "dictionary"),
    ],
)
async def test_filters_that_are_none_are_refused(filters: Any, named: str) -> None:
    """By the field's name and with what is allowed; a search of everything would answer another question."""
    noted = Noted()
    with pytest.raises(InvalidInput, match=named) as caught:
        await play(noted).say(QUESTION, filters=filters)
    assert "documents, kinds, languages, tags, since, until" in str(caught.value)
    assert noted.filters == []
