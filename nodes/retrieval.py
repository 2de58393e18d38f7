"""Retrieve: the passages for the questions that are open, from several searches at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

import anyio
from langgraph.runtime import Runtime
from pydantic import BaseModel, ConfigDict, Field

from nodes.ask import ask
from nodes.citations import Source, source
from nodes.concepts import in_both_languages
from nodes.question import Asking, open_parts
from nodes.window import fit
from runtime.brief import write_brief
from runtime.context import Context
from runtime.errors import KnowledgeUnavailable, ModelOutputInvalid
from runtime.narrowing import Filters
from runtime.passage import Passage

PASSAGES: Final = 8
WIDER: Final = 24
"""Passages of each search, in the first round and in the second."""
ROUNDS: Final = 2
_MAX_WORDINGS: Final = 4
_RANK_OFFSET: Final = 60
"""k of reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009)."""

_REWORD: Final = """
A search for the questions found nothing that answers them. Give up to four other wordings to search by: other
words for the same things, as a price list, a product sheet or a manual would put it, and the same in English
if the question is in another language. Change no name and no figure.
"""


class Wordings(BaseModel):
    """Other words to search by."""

    model_config = ConfigDict(extra="forbid")
    queries: list[str] = Field(description="One to four queries.")


async def retrieve(state: Asking, runtime: Runtime[Context]) -> dict[str, Any]:
    """The best new passages of all searches that fit the model's window, none of them twice."""
    queries = [*open_parts(state), *state["wordings"]]
    limit = WIDER if state["rounds"] else PASSAGES
    filters = Filters.model_validate(state["narrowing"])
    try:
        lists = await _search_all(runtime.context, queries, limit, filters)
    except KnowledgeUnavailable:
        return {"knowledge": "unavailable", "found": [], "rounds": state["rounds"] + 1}
    merged = [one for one in merge(lists) if one["key"] not in state["seen"]]
    found = fit(merged, runtime.context.passage_tokens)
    return {
        "knowledge": "found" if found else "empty",
        "found": found,
        "seen": [*state["seen"], *(one["key"] for one in found)],
        "rounds": state["rounds"] + 1,
    }


async def widen(state: Asking, runtime: Runtime[Context]) -> dict[str, Any]:
    """Other wordings of what is open; with the words of the other language where the glossary has them."""
    questions = open_parts(state)
    brief = write_brief("reword", _REWORD, questions=questions)
    try:
        worded = (await ask(runtime.context.model(), Wordings, [brief])).queries
    except ModelOutputInvalid:
        worded = []
    known = [words for question in questions if (words := in_both_languages(question)) != question]
    queries = dict.fromkeys(text for query in [*worded, *known] if (text := query.strip()))
    return {"wordings": list(queries)[:_MAX_WORDINGS]}


def merge(lists: Sequence[Sequence[Source]]) -> list[Source]:
    """The sources of all lists, each once as its best rank has it, by reciprocal rank fusion."""
    scores: dict[str, float] = defaultdict(float)
    best: dict[str, tuple[int, Source]] = {}
    for found in lists:
        for rank, one in enumerate(found, 1):
            scores[one["key"]] += 1 / (_RANK_OFFSET + rank)
            if one["key"] not in best or rank < best[one["key"]][0]:
                best[one["key"]] = (rank, one)
    return [best[key][1] for key in sorted(best, key=lambda key: -scores[key])]


async def _search_all(
    context: Context, queries: Sequence[str], limit: int, filters: Filters
) -> list[list[Source]]:
    """One list for each query; raises KnowledgeUnavailable when one of them cannot be answered in time."""
    lists: list[list[Source]] = [[] for _ in queries]

    async def search(number: int) -> None:
        found = await _in_time(context, queries[number], limit, filters)
        lists[number] = [source(passage) for passage in found]

    # LangGraph would not know an interrupt inside a group.
    try:
        async with anyio.create_task_group() as tasks:
            for number in range(len(queries)):
                tasks.start_soon(search, number)
    except BaseExceptionGroup as group:
        raise _first(group) from None
    return lists


async def _in_time(context: Context, query: str, limit: int, filters: Filters) -> list[Passage]:
    with anyio.move_on_after(context.search_timeout_s):
        return await context.search(query, limit=limit, filters=filters)
    raise KnowledgeUnavailable(f"a search did not answer within {context.search_timeout_s:g} s")


def _first(error: BaseException) -> BaseException:
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error
