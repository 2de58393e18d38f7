"""The knowledge of all tenants, in a process that reaches the index itself."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from anyio import to_thread

from ingestion.backup import Backup, Backups, read_manifest
from ingestion.collection import Collection, Collections
from ingestion.document import clean
from ingestion.embedders.configured import Embedders
from ingestion.explanation import Explained, explain
from ingestion.finding import find, sought, within
from ingestion.index import Hit, Put
from ingestion.leftovers import AT_ONCE
from ingestion.moving import Moving
from ingestion.record import STORED, passage, stored
from ingestion.report import Labels, Stats, StoredDocument
from ingestion.rerank import Reranker
from ingestion.versions import Versions
from ingestion.within import Lists, Values, Within
from runtime.errors import KnowledgeUnavailable, ProfileMismatch
from runtime.narrowing import ANYTHING, Filters
from runtime.passage import Passage

T = TypeVar("T")

_STATS_KEPT = 1_000
_SWITCHES = 3


class Knowledge:
    """Every method takes the tenant first and sees nothing of another. Opened by `ingestion.opening`.

    A document's version is written while nobody sees it (`stage`), and then takes the place of the one
    before in one step (`publish`): a search sees the whole of one version, never of two or of half a one,
    whichever process dies when. All methods bear to be called again, and raise KnowledgeUnavailable when the
    engine fails or does not answer in time.
    """

    def __init__(
        self,
        collections: Collections,
        embedders: Embedders,
        backups: Backups,
        reranker: Reranker | None = None,
    ) -> None:
        self.collections = collections
        self.embedders = embedders
        self._backups = backups
        self._reranker = reranker
        self._stats: OrderedDict[str, tuple[str, Stats]] = OrderedDict()

    async def search(
        self, tenant: str, query: str, *, limit: int = 5, filters: Filters = ANYTHING
    ) -> list[Passage]:
        """At most `limit` passages, best first, each parent once with its best child as the quote.

        [] when nothing matches: by words alone, when no word of the query, stop words left out, stands in the
        tenant's documents. Any shared word gives a hit, so weak ones come too: their scores are low, and
        comparable within one search only. Raises ProfileMismatch when nothing configured makes the vectors
        that the index holds.
        """
        here = await self.collections.current()
        query_vectors = await sought(self.embedders.of(here.name), clean(query))

        async def read(but: Lists) -> list[Hit]:
            mine = within(tenant, filters, but)
            return (await find(here.index, mine, query_vectors, limit, self._reranker)).best

        hits = await here.shown.seen(tenant, read, lambda hit: str(hit.payload["version"]))
        return [passage(hit) for hit in hits]

    async def explain(
        self, tenant: str, query: str, *, limit: int = 5, filters: Filters = ANYTHING
    ) -> Explained:
        """What `search` finds, and why: ranks and scores by each vector, fused and anew, and the time."""
        here = await self.collections.current()
        unseen = await here.shown.unseen(tenant)
        mine, embedder = within(tenant, filters, unseen), self.embedders.of(here.name)
        return await explain(here.index, mine, embedder, clean(query), limit, self._reranker)

    @property
    def moving(self) -> Moving:
        """For a move to another collection."""
        return Moving(self.collections, self.embedders)

    async def use(self, collection: str) -> None:
        """Makes a kept one current, as it is. Raises InvalidInput for one that is not there.

        Raises ProfileMismatch where nothing configured makes its vectors.
        """
        await self.collections.kept(collection)
        self.embedders.of(collection)
        async with (await self.collections.current(fresh=True)).versions.still():
            await self.collections.switch(collection)

    async def drop(self, collection: str) -> None:
        """Deletes one that is not current. Raises InvalidInput."""
        await self.collections.drop(collection)

    async def backup(self, folder: str) -> Backup:
        """See `Backups.backup`."""
        return await self._backups.backup(folder)

    async def recover(self, folder: str) -> Backup:
        """See `Backups.recover`. Raises ProfileMismatch where nothing configured makes such vectors."""
        manifest = await to_thread.run_sync(read_manifest, Path(folder))
        self.embedders.of(manifest.collection)
        return await self._backups.recover(folder)

    async def revision(self, tenant: str) -> str:
        """Another one whenever a search of the tenant may find something else than before."""
        here = await self.collections.current()
        return f"{here.name}:{await here.shown.revision(tenant)}"

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
        here = await self.collections.current()
        rows = await here.shown.read_all(tenant, STORED, document_id)
        return sorted(map(stored, rows), key=lambda version: version.ingested_at)

    async def stats(self, tenant: str) -> Stats:
        """Sums over the tenant's documents; kept until one of them changes."""
        here, revision = await self.collections.current(), await self.revision(tenant)
        kept = self._stats.get(tenant)
        if kept is None or kept[0] != revision:
            kept = (revision, _sums(await self.documents(tenant), here))
            self._stats[tenant] = kept
            if len(self._stats) > _STATS_KEPT:
                self._stats.popitem(last=False)
        return replace(kept[1], collections=tuple(await self.collections.names()))

    async def collection(self) -> str:
        """The name of the current one: for its embedder, and for `stage` and `publish`."""
        return (await self.collections.current(fresh=True)).name

    async def stage(
        self, tenant: str, version: str, points: Sequence[Put], *, writer: str, collection: str
    ) -> None:
        """Writes points of a version, which no search sees before `publish`. `writer` is the run's id.

        Raises ProfileMismatch where `collection`, for which they were made, is no longer the current one.
        """
        await (await self._at(collection)).versions.stage(tenant, version, points, writer)
        await self._at(collection)

    async def count(self, tenant: str, version: str) -> int:
        """Points of the version, staged or published."""
        here = await self.collections.current(fresh=True)
        return await here.index.count(Within(tenant, {"version": version}))

    async def publish(
        self,
        tenant: str,
        document_id: str,
        version: str,
        *,
        points: int,
        collection: str,
        keep: bool = False,
        moved_from: str = "",
    ) -> None:
        """Shows a staged version in the place of the one before, which is deleted unless it is to be kept.

        `moved_from`: the id of a document that is this one, and is taken out in the same step; the versions
        that were kept of it become this document's, unless `keep` is false. Raises KnowledgeUnavailable where
        the version has not as many points, and drops those: the one before stays. Raises ProfileMismatch as
        `stage` does.
        """
        here = await self._at(collection)
        await here.versions.publish(tenant, document_id, version, points, keep, moved_from)
        # It may have waited for a switch: then it was left behind.
        await self._at(collection)

    async def restore(self, tenant: str, document_id: str, version: str) -> None:
        """Shows a version that was kept in the place of the one that is seen, which is kept from then on.

        Raises InvalidInput where there is no such version, KnowledgeUnavailable where it is not whole.
        """

        is_done = False

        async def restore(versions: Versions) -> None:
            nonlocal is_done
            shown = await self.shown(tenant, document_id)
            # The next collection may have been brought it already.
            if not (is_done and shown and shown.version == version):
                await versions.restore(tenant, document_id, version)
            is_done = True

        await self._where_current(restore)

    async def relabel(self, tenant: str, document_id: str, labels: Labels) -> None:
        """Gives the document, with all its versions, another name, other tags or another date."""
        payload = labels.as_payload()
        await self._where_current(lambda versions: versions.relabel(tenant, document_id, payload))

    async def discard(self, tenant: str, version: str, *, writer: str) -> None:
        """Deletes a version that was staged and not published, unless another run writes it too."""
        await (await self.collections.current(fresh=True)).versions.discard(tenant, version, writer)

    async def remove(self, tenant: str, document_id: str) -> bool:
        """Takes all versions of the document out of the index; False when there is none."""
        return any(await self._where_current(lambda versions: versions.remove(tenant, document_id)))

    async def sweep(self) -> None:
        """Clears away some of what runs and processes that never came back have left; may be cancelled."""
        versions = (await self.collections.current()).versions
        for tenant, version in (await versions.leftovers())[:AT_ONCE]:
            await versions.sweep(tenant, version)

    async def _where_current(self, change: Callable[[Versions], Awaitable[T]]) -> list[T]:
        """Changes the current collection, and the next one too where it was switched meanwhile."""
        results: list[T] = []
        for _ in range(_SWITCHES):
            here = await self.collections.current(fresh=True)
            results.append(await change(here.versions))
            if (await self.collections.current(fresh=True)).name == here.name:
                return results
        raise KnowledgeUnavailable(f"the index was moved {_SWITCHES} times meanwhile; try again")

    async def _at(self, collection: str) -> Collection:
        here = await self.collections.current(fresh=True)
        if here.name != collection:
            raise ProfileMismatch(
                f"the vectors were made for {collection!r}, and {here.name!r} is current now; ingest it again"
            )
        return here

    async def _seen(self, tenant: str, equal: Values) -> list[StoredDocument]:
        here = await self.collections.current()
        rows = await here.shown.read(tenant, STORED, equal)
        return sorted(map(stored, rows), key=lambda document: (document.document, document.source))


def _sums(documents: Sequence[StoredDocument], here: Collection) -> Stats:
    languages: Counter[str] = Counter()
    for document in documents:
        languages.update(document.languages)
    spaces = here.index.profile.spaces.items()
    return Stats(
        len(documents),
        sum(document.chunks for document in documents),
        sum(document.tokens for document in documents),
        dict(languages),
        here.name,
        vectors=tuple(f"{name} {space.kind} {space.size or ''}".strip() for name, space in spaces),
    )
