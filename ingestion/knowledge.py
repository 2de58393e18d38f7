"""The knowledge of all tenants, in the process that owns the embedded index."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar, TypeVarTuple, Unpack

import anyio
from anyio import CapacityLimiter, to_thread

from ingestion.document import clean
from ingestion.embed import bm25
from ingestion.index import Hit, Index, Put, Values
from ingestion.journal import Journal
from ingestion.leftovers import AT_ONCE
from ingestion.owner import owned
from ingestion.record import STORED, passage, stored
from ingestion.report import Stats, StoredDocument
from ingestion.versions import Versions
from runtime.passage import Passage

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_QUERY_THREADS = 4
_HITS_PER_PASSAGE = 8
"""Children fetched for each passage asked for: a parent has about four, and counts once."""
_MAX_HITS = 2_000
_SHARD = "shard-3"
"""Its number is that of the payload's form: an older one is left where it is, and filled anew."""


class Knowledge:
    """Every method takes the tenant first and sees nothing of another. Opened by `Knowledge.open`.

    A document's version is written while nobody sees it (`stage`), and then takes the place of the one
    before in one step (`publish`): a search sees the whole of one version, never of two or of half a one,
    whichever process dies when. All methods bear to be called again.
    """

    def __init__(self, index: Index, journal: Journal) -> None:
        self._index = index
        self._versions = Versions(index, journal)
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
                await knowledge.sweep()
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
        return await self._seen(tenant, {})

    async def shown(self, tenant: str, document_id: str) -> StoredDocument | None:
        """The document's version that searches see."""
        found = await self._seen(tenant, {"document_id": document_id})
        return found[0] if found else None

    async def named(self, tenant: str, name: str) -> list[StoredDocument]:
        """The documents of that name; there may be several, from different places."""
        return await self._seen(tenant, {"document": name})

    async def versions(self, tenant: str, document_id: str) -> list[StoredDocument]:
        """The document's versions, the oldest first, replaced ones that were kept among them."""
        rows = await self._query(self._versions.read_all, tenant, STORED, document_id)
        return sorted(map(stored, rows), key=lambda version: version.ingested_at)

    async def stats(self, tenant: str) -> Stats:
        """Sums over the tenant's documents."""
        documents = await self.documents(tenant)
        languages: Counter[str] = Counter()
        for document in documents:
            languages.update(document.languages)
        chunks, tokens = sum(d.chunks for d in documents), sum(d.tokens for d in documents)
        return Stats(len(documents), chunks, tokens, dict(languages))

    async def stage(self, tenant: str, version: str, points: Sequence[Put], *, writer: str) -> None:
        """Writes points of a version, which no search sees before `publish`. `writer` is the run's id."""
        await self._write(self._versions.stage, tenant, version, points, writer)

    async def count(self, tenant: str, version: str) -> int:
        """Points of the version, staged or published."""
        return await self._query(lambda: self._index.count(tenant, version=version))

    async def publish(
        self,
        tenant: str,
        document_id: str,
        version: str,
        *,
        points: int,
        keep: bool = False,
        moved_from: str = "",
    ) -> None:
        """Shows a staged version in the place of the one before, which is deleted unless it is to be kept.

        `moved_from`: the id of a document that is this one, and is taken out in the same step; the versions
        that were kept of it become this document's, unless `keep` is false. Raises KnowledgeUnavailable where
        the version has not as many points, and drops those: the one before stays.
        """
        await self._write(self._versions.publish, tenant, document_id, version, points, keep, moved_from)

    async def restore(self, tenant: str, document_id: str, version: str) -> None:
        """Shows a version that was kept in the place of the one that is seen, which is kept from then on.

        Raises InvalidInput where there is no such version, KnowledgeUnavailable where it is not whole.
        """
        await self._write(self._versions.restore, tenant, document_id, version)

    async def rename(self, tenant: str, document_id: str, name: str) -> None:
        """Shows the document, with all its versions, under another name."""
        await self._write(self._versions.rename, tenant, document_id, name)

    async def discard(self, tenant: str, version: str, *, writer: str) -> None:
        """Deletes a version that was staged and not published, unless another run writes it too."""
        await self._write(self._versions.discard, tenant, version, writer)

    async def remove(self, tenant: str, document_id: str) -> bool:
        """Takes all versions of the document out of the index; False when there is none."""
        return await self._write(self._versions.remove, tenant, document_id)

    async def sweep(self) -> None:
        """Clears away some of what runs and processes that never came back have left; may be cancelled."""
        for tenant, version in self._versions.leftovers()[:AT_ONCE]:
            await self._write(self._versions.sweep, tenant, version)

    async def _query(self, function: Callable[[Unpack[Ts]], T], *args: *Ts) -> T:
        return await to_thread.run_sync(function, *args, limiter=self._query_threads)

    async def _write(self, function: Callable[[Unpack[Ts]], T], *args: *Ts) -> T:
        """One at a time, and to its end: a caller that is cancelled leaves nothing half done."""
        return await to_thread.run_sync(function, *args, limiter=self._write_thread)

    async def _seen(self, tenant: str, equal: Values) -> list[StoredDocument]:
        rows = await self._query(self._versions.read, tenant, STORED, equal)
        return sorted(map(stored, rows), key=lambda document: (document.document, document.source))

    def _best_children(self, tenant: str, query: str, limit: int) -> list[Hit]:
        vector = self._bm25.embed_query(clean(query))
        wanted = limit * _HITS_PER_PASSAGE
        while True:
            with self._versions.reading():
                hits = self._index.search(tenant, vector, wanted, but=self._versions.unseen(tenant))
            best: dict[str, Hit] = {}
            for hit in hits:
                best.setdefault(hit.payload["parent_id"], hit)
            if len(best) >= limit or len(hits) < wanted or wanted >= _MAX_HITS:
                return list(best.values())[:limit]
            wanted = min(wanted * 4, _MAX_HITS)
