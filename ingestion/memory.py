"""Items of the store, found by their words: the same engine as for documents, in a shard of its own."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from anyio import Lock

from ingestion.document import clean
from ingestion.embedders.bm25 import Bm25Embedder
from ingestion.index import Asked, Fields, Hit, Index, Put
from ingestion.within import Within
from runtime.store_index import Candidate, Entry, IndexedItem

T = TypeVar("T")

ITEMS = Fields(keywords=("within",))
"""What items are found by, beside their words."""


class Memory:
    """The `ItemIndex` of a process that reaches the index itself.

    Vectors are BM25 over all of an item's texts as one, so an item is found only if it shares a word with
    the query, field names of a value taken as JSON included. The first label of a namespace is the tenant
    that every search is bound to; the IDF is that of the namespace prefix searched, so scores tell nothing of
    what lies beside it. All methods raise KnowledgeUnavailable.
    """

    def __init__(self, index: Callable[[], Awaitable[Index]], embedder: Bm25Embedder) -> None:
        """`index` gives the same one each time, of the embedder's profile and with the fields ITEMS."""
        self._index = index
        self._bm25 = embedder
        self._turn = Lock()  # A write reads versions first.

    async def put(self, items: Sequence[IndexedItem]) -> None:
        """Each takes the place of the item's older entry; on disk when it returns."""
        for tenant, some in _by_tenant(items, [item.entry for item in items]).items():
            points, index = await self._points(some), await self._index()
            async with self._turn:
                known = await index.values(tenant, [point.id for point in points], "version")
                newest = [p for p in points if known.get(p.id, 0) <= p.payload["version"]]
                if newest:
                    await index.put(tenant, newest)

    async def drop(self, entries: Sequence[Entry]) -> None:
        """Forgets these versions and older ones. A crash may bring them back: stale entries do no harm."""
        for tenant, some in _by_tenant(entries, entries).items():
            index = await self._index()
            async with self._turn:
                known = await index.values(tenant, [_name(entry) for entry in some], "version")
                doomed = [_name(e) for e in some if _name(e) in known and known[_name(e)] <= e.version]
                if doomed:
                    await index.delete(tenant, doomed)

    async def search(self, namespace_prefix: tuple[str, ...], query: str, limit: int) -> list[Candidate]:
        """At most `limit` entries under the prefix, best first; [] when no word of the query is in any."""
        vectors = await self._bm25.query(clean(query))
        mine = Within(namespace_prefix[0], {"within": _labels(namespace_prefix)})
        hits = await (await self._index()).search(mine, Asked(vectors, limit))
        return [_candidate(hit) for hit in hits]

    async def _points(self, items: Sequence[IndexedItem]) -> list[Put]:
        vectors = await self._bm25.documents([clean("\n".join(item.texts)) for item in items])
        return [
            Put(_name(item.entry), of_item, _payload(item.entry))
            for item, of_item in zip(items, vectors, strict=True)
        ]


def _by_tenant(some: Sequence[T], entries: Sequence[Entry]) -> dict[str, list[T]]:
    tenants: dict[str, list[T]] = {}
    for one, entry in zip(some, entries, strict=True):
        tenants.setdefault(entry.namespace[0], []).append(one)
    return tenants


def _payload(entry: Entry) -> dict[str, object]:
    namespace, key, version = entry
    within = [_labels(namespace[: n + 1]) for n in range(len(namespace))]
    return {"within": within, "namespace": list(namespace), "key": key, "version": version}


def _name(entry: Entry) -> str:
    return _labels((*entry.namespace, entry.key))


def _labels(labels: tuple[str, ...]) -> str:
    # JSON, since a key may hold any character, a separator included.
    return json.dumps(labels)


def _candidate(hit: Hit) -> Candidate:
    payload = hit.payload
    entry = Entry(tuple(payload["namespace"]), payload["key"], payload["version"])
    return Candidate(entry, hit.score)
