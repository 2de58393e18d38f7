"""A tenant's knowledge is as if there were no other, on every way to it, whatever is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.knowledge import Knowledge
from ingestion.opening_knowledge import open_knowledge
from ingestion.record import document_id_of
from runtime.narrowing import Filters
from tests.embedders import Hashed, two_embedders
from tests.knowledge import put, written

TENANTS = ("acme", "ACME", "acme ", 'x" OR "1"="1', "租户", "*")
NAMES = ("price.md", "*", "a/../price.md")
HOSTILE = ("*", 'x" OR "1"="1', "acme", "tenant", '{"key": "tenant"}', "%", "\\", "price.md", "租户")

Text = st.sampled_from(
    ["seats cost 39", "seats cost 41", "terms are thirty days", "价格是三十九", "acme seats"]
)
Tag = st.sampled_from(HOSTILE[:4])
Day = st.sampled_from(["2025-12-31", "2026-01-01", "2026-06-30"])


class Change(NamedTuple):
    """A document that comes, or goes where it has no text."""

    tenant: str
    name: str
    texts: list[str]
    tags: list[str]
    date: str
    keep: bool


changes = st.lists(
    st.builds(
        Change,
        st.sampled_from(TENANTS[:3]) | st.sampled_from(TENANTS),
        st.sampled_from(NAMES),
        st.lists(Text, max_size=3),
        st.lists(Tag, max_size=2, unique=True),
        Day,
        st.booleans(),
    ),
    max_size=10,
)
some = st.just(()) | st.lists(Tag, min_size=1, max_size=4).map(tuple)
filters = st.builds(
    Filters,
    documents=some | st.just(("price.md",)),
    kinds=some | st.just(("paragraph",)),
    languages=st.sampled_from([(), ("en",), ("zh",), ("acme",)]),
    tags=some,
    since=st.none() | st.just("2026-01-01"),
    until=st.none() | st.just("2026-06-30"),
)


async def play(knowledge: Knowledge, changes: Sequence[Change], only: str | None = None) -> None:
    """All of them, or those of one tenant."""
    for number, (tenant, name, texts, tags, date, keep) in enumerate(changes):
        if only not in (None, tenant):
            continue
        if texts:
            document, at = written(name, *texts), str(number)
            await put(knowledge, tenant, document, keep=keep, at=at, tags=tags, date=date)
        else:
            await knowledge.remove(tenant, document_id_of(name))


async def told(knowledge: Knowledge, tenant: str, query: str, narrowed: Filters) -> list[Any]:
    """Everything that a tenant can be told, times and collection names aside."""
    documents = await knowledge.documents(tenant)
    explained = await knowledge.explain(tenant, query, filters=narrowed)
    return [
        documents,
        [await knowledge.versions(tenant, document_id_of(name)) for name in NAMES],
        [await knowledge.shown(tenant, document_id_of(name)) for name in NAMES],
        [await knowledge.named(tenant, name) for name in NAMES],
        [await knowledge.count(tenant, document.version) for document in documents],
        await knowledge.search(tenant, query, filters=narrowed),
        asdict(replace(explained, ms={})),
        await knowledge.stats(tenant),
    ]


@given(changes, st.sampled_from(["seats cost", "price 39", "价格", "acme tenant", "terms"]), filters)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.parametrize("embedder", ["bm25", "both"])
def test_others_are_not_there(embedder: str, changes: list[Change], query: str, narrowed: Filters) -> None:
    """Hits, scores, ranks, figures and lists are those of an index with this tenant's documents alone."""

    async def check() -> None:
        with TemporaryDirectory() as folder:
            embedders = two_embedders(Hashed(), embedder)
            async with open_knowledge(Path(folder) / "all", embedders, 10) as every:
                await play(every, changes)
                for number, tenant in enumerate({TENANTS[0], *(change.tenant for change in changes[:2])}):
                    async with open_knowledge(Path(folder) / str(number), embedders, 10) as alone:
                        await play(alone, changes, tenant)
                        seen, right = [await told(each, tenant, query, narrowed) for each in (every, alone)]
                        assert seen == right

    anyio.run(check)
