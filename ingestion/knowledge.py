"""The knowledge of all tenants, in the process that owns the embedded index."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple, Unpack

import anyio
from anyio import CapacityLimiter, to_thread

from ingestion.document import clean
from ingestion.embed import bm25
from ingestion.index import Hit, Index, Lists, Put, Values
from ingestion.journal import Journal
from ingestion.owner import owned
from ingestion.readers import Readers
from ingestion.record import STORED, passage, stored
from ingestion.report import Stats, StoredDocument
from runtime.errors import KnowledgeUnavailable
from runtime.passage import Passage

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_QUERY_THREADS = 4
_HITS_PER_PASSAGE = 8
"""Children fetched for each passage asked for: a parent has about four, and counts once."""
_MAX_HITS = 2_000
_SHARD = "shard-2"
"""Its number is that of the payload's form: an older one is left where it is, and filled anew."""
_SUPERSEDED = {"superseded": "yes"}
"""Payload of an old version that was kept on request."""


class Knowledge:
    """Every method takes the tenant first and sees nothing of another. Opened by `Knowledge.open`.

    A document's version is written while nobody sees it (`stage`), and then takes the place of the one
    before in one step (`publish`): a search sees the whole of one version, never of two or of half a one,
    whichever process dies when. All methods bear to be called again.
    """

    def __init__(self, index: Index, journal: Journal) -> None:
        self._index = index
        self._journal = journal
        self._readers = Readers()
        self._bm25 = bm25()
        # Apart, so that a search never waits for a write.
        self._query_threads = CapacityLimiter(_QUERY_THREADS)
        self._write_thread = CapacityLimiter(1)

    @classmethod
    @asynccontextmanager
    async def open(cls, data_dir: Path) -> AsyncIterator[Knowledge]:
        """The index in `data_dir/index`, created where there is none, owned until the block ends.

        Raises KnowledgeUnavailable naming the pid that owns it, SettingsInvalid for a folder that cannot be
        written.
        """
        folder = data_dir / "index"
        with owned(folder):
            index = await to_thread.run_sync(Index.open, folder / _SHARD)
            knowledge = cls(index, Journal(folder / "hidden.json"))
            try:
                await knowledge._write(knowledge._drop_stale)
                yield knowledge
            finally:
                with anyio.CancelScope(shield=True):
                    await to_thread.run_sync(index.close)

    async def search(self, tenant: str, query: str, *, limit: int = 5) -> list[Passage]:
        """At most `limit` passages, best first, each parent once with its best child as the quote.

        [] when no word of the query, stop words left out, stands in the tenant's documents. Any shared word
        gives a hit, so weak ones come too: their scores are low, and comparable within one search only.
        """
        return [passage(hit) for hit in await self._query(self._best_children, tenant, query, limit)]

    async def documents(self, tenant: str) -> list[StoredDocument]:
        """The tenant's documents by name, the versions that searches see."""
        rows = await self._query(self._seen, tenant, {})
        return sorted((stored(row) for row in rows), key=lambda document: document.document)

    async def versions(self, tenant: str, document: str) -> list[StoredDocument]:
        """The document's versions in the index, replaced ones that were kept among them; in no order."""
        rows = await self._query(lambda: self._index.read(tenant, STORED, document=document, ordinal=0))
        hidden = self._journal.hidden(tenant)
        return [stored(row) for row in rows if row["version"] not in hidden]

    async def stats(self, tenant: str) -> Stats:
        """Sums over the tenant's documents."""
        documents = await self.documents(tenant)
        languages: Counter[str] = Counter()
        for document in documents:
            languages.update(document.languages)
        chunks, tokens = sum(d.chunks for d in documents), sum(d.tokens for d in documents)
        return Stats(len(documents), chunks, tokens, dict(languages))

    async def known(self, tenant: str, document: str, version: str) -> StoredDocument | None:
        """The document, when this version of it is what searches see."""
        rows = await self._query(self._seen, tenant, {"document": document, "version": version})
        return stored(rows[0]) if rows else None

    async def named(self, tenant: str, document: str) -> StoredDocument | None:
        """The document of that name that searches see."""
        rows = await self._query(self._seen, tenant, {"document": document})
        return stored(rows[0]) if rows else None

    async def stage(self, tenant: str, version: str, points: Sequence[Put], *, writer: str) -> None:
        """Writes points of a version, which no search sees before `publish`. `writer` is the run's id."""
        await self._write(self._stage, tenant, version, points, writer)

    async def count(self, tenant: str, version: str) -> int:
        """Points of the version, staged or published."""
        return await self._query(lambda: self._index.count(tenant, version=version))

    async def publish(
        self, tenant: str, document: str, version: str, *, points: int, keep: bool = False
    ) -> None:
        """Shows a staged version in the place of the one before, which is deleted unless it is to be kept.

        Raises KnowledgeUnavailable where the version has not as many points, and drops those: the one before
        stays.
        """
        await self._write(self._publish, tenant, document, version, points, keep)

    async def discard(self, tenant: str, version: str, *, writer: str) -> None:
        """Deletes a version that was staged and not published, unless another run writes it too."""
        await self._write(self._discard, tenant, version, writer)

    async def remove(self, tenant: str, document: str) -> bool:
        """Takes all versions of the document out of the index; False when there is none."""
        return await self._write(self._remove, tenant, document)

    async def _query(self, function: Callable[[Unpack[Ts]], T], *args: *Ts) -> T:
        return await to_thread.run_sync(function, *args, limiter=self._query_threads)

    async def _write(self, function: Callable[[Unpack[Ts]], T], *args: *Ts) -> T:
        """One at a time, and to its end: a caller that is cancelled leaves nothing half done."""
        return await to_thread.run_sync(function, *args, limiter=self._write_thread)

    def _unseen(self, tenant: str) -> Lists:
        return {"version": list(self._journal.hidden(tenant)), "superseded": list(_SUPERSEDED.values())}

    def _seen(self, tenant: str, equal: Values) -> list[dict[str, Any]]:
        """The first points of what searches see."""
        with self._readers.reading():
            return self._index.read(tenant, STORED, but=self._unseen(tenant), **{**equal, "ordinal": 0})

    def _stage(self, tenant: str, version: str, points: Sequence[Put], writer: str) -> None:
        hidden = self._journal.hidden(tenant).get(version)
        if hidden is None:
            if self._index.read(tenant, ["version"], version=version, ordinal=0):
                # It is seen already (its run was lost after `publish`), or was kept: as it is to be written.
                return
            # What an earlier try left behind may have been read in another way.
            self._index.drop(tenant, version=version)
        if hidden is None or writer not in hidden.writers:
            self._journal.write(tenant, version, [*(hidden.writers if hidden else ()), writer])
            # Whoever began before does not know that this version is hidden.
            self._readers.wait_for_present()
        self._index.put(tenant, points)

    def _publish(self, tenant: str, document: str, version: str, points: int, keep: bool) -> None:
        found = self._index.count(tenant, version=version)
        if found != points:
            self._drop_version(tenant, version)
            raise KnowledgeUnavailable(
                f"{found} of {points} chunks of {document!r} were in the index when it was to be shown;"
                " ingest it again"
            )
        rows = self._index.read(tenant, ["version", *_SUPERSEDED], document=document, ordinal=0)
        superseded = {row["version"] for row in rows if row.get("superseded") == _SUPERSEDED["superseded"]}
        others = {row["version"] for row in rows} - {version}
        replaced = others - superseded if keep else others
        if version in superseded:
            self._journal.change(tenant, hide=[version])
            self._index.mark(tenant, dict.fromkeys(_SUPERSEDED, ""), version=version)
        # The one step that readers see; what follows changes only what they no longer do.
        self._journal.change(tenant, hide=replaced, show=[version])
        self._readers.wait_for_present()
        for other in replaced:
            if keep:
                self._index.mark(tenant, _SUPERSEDED, version=other)
            else:
                self._index.drop(tenant, version=other)
        self._journal.change(tenant, show=others)

    def _discard(self, tenant: str, version: str, writer: str) -> None:
        hidden = self._journal.hidden(tenant).get(version)
        if hidden is None or writer not in hidden.writers:
            return
        left = [other for other in hidden.writers if other != writer]
        if left:
            self._journal.write(tenant, version, left)
        else:
            self._drop_version(tenant, version)

    def _drop_version(self, tenant: str, version: str) -> None:
        self._journal.change(tenant, hide=[version])
        self._readers.wait_for_present()
        self._index.drop(tenant, version=version)
        self._journal.change(tenant, show=[version])

    def _drop_stale(self) -> None:
        for tenant, version in self._journal.stale():
            self._drop_version(tenant, version)

    def _remove(self, tenant: str, document: str) -> bool:
        rows = self._index.read(tenant, ["version"], document=document, ordinal=0)
        there = self._index.count(tenant, document=document) > 0
        versions = {row["version"] for row in rows}
        self._journal.change(tenant, hide=versions)
        self._readers.wait_for_present()
        self._index.drop(tenant, document=document)
        self._journal.change(tenant, show=versions)
        return there

    def _best_children(self, tenant: str, query: str, limit: int) -> list[Hit]:
        vector = self._bm25.embed_query(clean(query))
        wanted = limit * _HITS_PER_PASSAGE
        while True:
            with self._readers.reading():
                hits = self._index.search(tenant, vector, wanted, but=self._unseen(tenant))
            best: dict[str, Hit] = {}
            for hit in hits:
                best.setdefault(hit.payload["parent_id"], hit)
            if len(best) >= limit or len(hits) < wanted or wanted >= _MAX_HITS:
                return list(best.values())[:limit]
            wanted = min(wanted * 4, _MAX_HITS)
