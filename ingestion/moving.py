"""What moves documents from the current collection into another: done where the collections are open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ingestion.collection import Collection, Collections
from ingestion.document import clean
from ingestion.embedders.configured import Embedders
from ingestion.finding import sought
from ingestion.index import Put
from ingestion.record import searchable
from ingestion.vectors import Profile
from ingestion.within import Values, Within

_WRITER = "migrate"
_SAMPLES = 20
_AMONG = 10
_LABELS = ("document", "document_id", "superseded", "tags", "date")
"""Payload that may change after a version was written."""
_FIRST = ("version", "chunks", *_LABELS)


@dataclass(frozen=True)
class Held:
    """A version in a collection, shown or kept."""

    tenant: str
    version: str
    chunks: int


@dataclass(frozen=True)
class Difference:
    """What the other collection still lacks, and what it has too much of."""

    missing: tuple[Held, ...] = ()
    surplus: tuple[Held, ...] = ()
    relabelled: tuple[Held, ...] = ()
    """There, but called or marked otherwise since."""

    def __bool__(self) -> bool:
        return bool(self.missing or self.surplus or self.relabelled)


class Moving:
    """All methods bear to be called again: a move that was interrupted goes on where it was."""

    def __init__(self, collections: Collections, embedders: Embedders) -> None:
        self._collections = collections
        self._embedders = embedders

    async def prepare(self, name: str, profile: Profile) -> None:
        """Opens the collection to move to, or creates it.

        Raises ProfileMismatch if it holds others, or where this process could not search it.
        """
        self._embedders.of(name)
        await self._collections.open(name, profile)

    async def difference(self, name: str, profile: Profile) -> Difference:
        """Between the current collection and that one, over all tenants."""
        here = await self._collections.current(fresh=True)
        return await _difference(here, await self._collections.open(name, profile))

    async def payloads(self, held: Held, first: int, count: int) -> list[dict[str, Any]]:
        """Of the version's chunks from place `first` on, `count` at most, without the tenant."""
        here = await self._collections.current(fresh=True)
        places = {"ordinal": range(first, first + count)}
        rows = await here.index.read(Within(held.tenant, {"version": held.version}, places), [])
        rows.sort(key=lambda row: int(row["ordinal"]))
        return [{key: value for key, value in row.items() if key != "tenant"} for row in rows]

    async def put(self, name: str, profile: Profile, held: Held, points: Sequence[Put]) -> None:
        """Writes points of a version, which nobody sees before `end`."""
        there = await self._collections.open(name, profile)
        await there.versions.stage(held.tenant, held.version, points, _WRITER)

    async def end(self, name: str, profile: Profile, held: Held) -> None:
        """Raises KnowledgeUnavailable where the version has not as many points as it should."""
        there = await self._collections.open(name, profile)
        await there.versions.admit(held.tenant, held.version, held.chunks)

    async def settle(self, name: str, profile: Profile, difference: Difference) -> None:
        """Takes out what is too much, and marks what is marked otherwise."""
        here, there = await self._collections.current(fresh=True), await self._collections.open(name, profile)
        for held in difference.surplus:
            await there.versions.dismiss(held.tenant, [held.version])
        for held in difference.relabelled:
            for first in await here.index.read(Within(held.tenant, _first_of(held)), _LABELS):
                labels = {**dict.fromkeys(_LABELS[2:], ""), **first}
                await there.versions.mark(held.tenant, held.version, labels)

    async def samples(self) -> list[Held]:
        """Some versions of the current collection, from everywhere in it."""
        held = [*await _held(await self._collections.current(fresh=True))]
        return held[:: max(1, len(held) // _SAMPLES)][:_SAMPLES]

    async def finds(self, name: str, profile: Profile, held: Held) -> bool:
        """Whether the version's first chunk is found there by its own text, among the first ten.

        True of one that searches do not see, or that is there no more. Raises ProfileMismatch where this
        process cannot make the vectors to search by.
        """
        there, first = await self._collections.open(name, profile), Within(held.tenant, _first_of(held))
        rows = await there.index.read(first, [])
        if not rows:
            return True
        query = await sought(self._embedders.of(name), clean(searchable(rows[0])))
        hits = await there.index.search(Within(held.tenant), query.asked(_AMONG))
        # A text without a word finds nothing by words, and of many that are alike ten are as good as it.
        is_tie = not hits or (len(hits) == _AMONG and hits[0].score == hits[-1].score)
        return is_tie or rows[0]["text"] in [hit.payload["text"] for hit in hits]

    async def switch(self, name: str, profile: Profile) -> bool:
        """Makes it the current one if it lacks nothing; False, and nothing is done, where it does.

        Raises ProfileMismatch where this process cannot make its vectors, and so could not search it.
        """
        self._embedders.of(name)
        here, there = await self._collections.current(fresh=True), await self._collections.open(name, profile)
        if here.name == name:
            return True
        async with here.versions.still(), there.versions.still():
            if await _difference(here, there):
                return False
            await self._collections.switch(name)
        return True


def _first_of(held: Held) -> Values:
    return {"version": held.version, "ordinal": 0}


async def _difference(here: Collection, there: Collection) -> Difference:
    ours, theirs = await _held(here), await _held(there)
    return Difference(
        missing=tuple(held for held in ours if held not in theirs),
        surplus=tuple(held for held in theirs if held not in ours),
        relabelled=tuple(held for held, labels in ours.items() if theirs.get(held, labels) != labels),
    )


async def _held(collection: Collection) -> dict[Held, dict[str, Any]]:
    """Whole versions with their labels; those being written or deleted are left out."""
    found: dict[Held, dict[str, Any]] = {}
    for tenant in await collection.index.tenants():
        for row in await collection.shown.read_all(tenant, _FIRST):
            labels = {key: row.get(key) or "" for key in _LABELS}
            found[Held(tenant, row["version"], row["chunks"])] = labels
    return found
