"""Processes that meet at the worst moment: one is held between two of its steps while another goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
import pytest
from qdrant_client import AsyncQdrantClient

from ingestion.engines.calls import Calls
from ingestion.engines.journal_points import JournalPoints
from ingestion.engines.server_collections import ServerCollections
from ingestion.index import Asked, Index, Put
from ingestion.shown import Shown
from ingestion.vectors import Profile, Space, Sparse
from ingestion.versions import Versions
from ingestion.within import Lists, Within
from runtime.errors import KnowledgeUnavailable

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant"),
]

PROFILE = Profile("test", {"words": Space("sparse", idf=True)})
ASKED = Asked({"words": Sparse([1], [1.0])}, 100)
GRACE_S = 60.0
Step = Callable[[], Awaitable[None]]


class Interrupted:
    """Calls of an index or a journal, before one of which something else happens, once."""

    def __init__(self, inner: Any, method: str, call: int, meanwhile: Step) -> None:
        self._inner = inner
        self._method = method
        self._left = call
        self._meanwhile = meanwhile

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            if name == self._method:
                self._left -= 1
                if self._left == 0:
                    await self._meanwhile()
            return await method(*args, **kwargs)

        return call


@pytest.fixture
async def client() -> AsyncIterator[AsyncQdrantClient]:
    one = AsyncQdrantClient(":memory:")
    yield one
    await one.close()


@pytest.fixture
async def index(client: AsyncQdrantClient) -> Index:
    collections = ServerCollections(client, Calls(10), "p-", "first", PROFILE)
    return (await collections.current()).index


@pytest.fixture
def journal(client: AsyncQdrantClient) -> JournalPoints:
    return JournalPoints(client, "p-first", Calls(10))


def points(document_id: str, version: str) -> list[Put]:
    about = {"document_id": document_id, "version": version, "chunks": 2}
    return [
        Put(f"{version}-{n}", {"words": ASKED.vectors["words"]}, {**about, "ordinal": n}) for n in range(2)
    ]


async def ingest(versions: Versions, document_id: str, version: str, *, keep: bool = False) -> None:
    await versions.stage("acme", version, points(document_id, version), "w")
    await versions.publish("acme", document_id, version, 2, keep, "")


async def seen(index: Index, journal: JournalPoints) -> list[str]:
    async def search(but: Lists) -> list[str]:
        return [hit.payload["version"] for hit in await index.search(Within("acme", but=but), ASKED)]

    return sorted(await Shown(index, journal).seen("acme", search, str))


async def test_a_restore_goes_on_after_another_change(index: Index, journal: JournalPoints) -> None:
    """A change of another document between its steps makes it begin anew, and it still knows the version."""
    other = Versions(index, journal)
    await ingest(other, "d", "v1")
    await ingest(other, "d", "v2", keep=True)

    async def change() -> None:
        await ingest(other, "e", "w1")

    mine = Versions(index, Interrupted(journal, "swap", 2, change))
    await mine.restore("acme", "d", "v1")
    assert await seen(index, journal) == ["v1", "v1", "w1", "w1"]


async def test_a_late_drop_deletes_nothing_new(index: Index, journal: JournalPoints) -> None:
    """A document that goes back to its old text while another process still deletes that has to wait."""
    other = Versions(index, journal, GRACE_S)
    await ingest(other, "d", "v1")

    async def back() -> None:
        with pytest.raises(KnowledgeUnavailable, match="by another process; try again"):
            await ingest(other, "d", "v1")

    # The first drop clears the way of v2; the second one deletes v1.
    mine = Versions(Interrupted(index, "drop", 2, back), journal, GRACE_S)
    await ingest(mine, "d", "v2")
    assert await seen(index, journal) == ["v2", "v2"]
    await ingest(other, "d", "v1")
    assert await seen(index, journal) == ["v1", "v1"]


async def test_a_late_put_brings_nothing_back(index: Index, journal: JournalPoints) -> None:
    """Of two runs of one version the slower one's points do not outlive the version."""
    other = Versions(index, journal, GRACE_S)

    async def overtake() -> None:
        await ingest(other, "d", "v1")
        await ingest(other, "d", "v2")

    mine = Versions(Interrupted(index, "put", 1, overtake), journal, GRACE_S)
    await mine.stage("acme", "v1", points("d", "v1"), "mine")
    assert await seen(index, journal) == ["v2", "v2"]


async def test_a_sweep_leaves_a_restore_alone(index: Index, journal: JournalPoints) -> None:
    """An hourly sweep in the middle of a restore does not make two versions visible."""
    other = Versions(index, journal, GRACE_S)
    await ingest(other, "d", "v1")
    await ingest(other, "d", "v2", keep=True)
    found: list[list[str]] = []

    async def sweep() -> None:
        for left in await other.leftovers():
            await other.sweep(*left)

    async def look() -> None:
        found.append(await seen(index, journal))

    slow = Interrupted(journal, "swap", 2, look)
    await Versions(Interrupted(index, "mark", 1, sweep), slow, GRACE_S).restore("acme", "d", "v1")
    assert found == [["v2", "v2"]]
    assert await seen(index, journal) == ["v1", "v1"]


async def test_a_read_that_is_always_outrun(index: Index, journal: JournalPoints) -> None:
    """A reader that publishes overtake each time is told so, and does not get parts of two versions."""
    versions, published = Versions(index, journal), 0
    await ingest(versions, "d", "v0")

    async def read(but: Lists) -> list[str]:
        nonlocal published
        within = Within("acme", {"ordinal": 0}, but=but)
        first = await index.read(within, ["version"])
        published += 1
        await ingest(versions, "d", f"v{published}")
        rest = await index.read(Within("acme", {"ordinal": 1}, but=but), ["version"])
        return [row["version"] for row in first + rest]

    with anyio.fail_after(60), pytest.raises(KnowledgeUnavailable, match="changed during every try"):
        await Shown(index, journal).seen("acme", read, str)
