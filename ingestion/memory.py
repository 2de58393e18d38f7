"""Items of the store, found by their words: the same engine as for documents, in a shard of its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar, TypeVarTuple, Unpack

import anyio
from anyio import CapacityLimiter, to_thread

from ingestion.document import clean
from ingestion.embed import bm25
from ingestion.index import Fields, Hit, Index, Put
from runtime.errors import KnowledgeUnavailable
from runtime.store_index import Candidate, Entry, IndexedItem

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_FIELDS = Fields(keywords=("within",))
_QUERY_THREADS = 2


class Memory:
    """The `ItemIndex` of the process that owns the embedded index. Opened by `Memory.open`.

    Vectors are BM25 over all of an item's texts as one, so an item is found only if it shares a word with
    the query, field names of a value taken as JSON included. Dense vectors are to come by a profile, then
    with a point for each text. The first label of a namespace is the tenant that every search is bound to;
    the IDF is that of the namespace prefix searched, so scores tell nothing of what lies beside it.
    """

    def __init__(self, index: Index, timeout_s: float) -> None:
        self._index = index
        self._bm25 = bm25()
        self._timeout_s = timeout_s
        self._query_threads = CapacityLimiter(_QUERY_THREADS)
        self._write_thread = CapacityLimiter(1)  # A write reads versions first.

    @classmethod
    @asynccontextmanager
    async def open(cls, data_dir: Path, timeout_s: float) -> AsyncIterator[Memory]:
        """The shard in `data_dir/index/memory`, created where there is none.

        For the process that has `Knowledge` open on `data_dir`: one lock is for both shards. Raises
        KnowledgeUnavailable if it is damaged.
        """
        index = await to_thread.run_sync(Index.open, data_dir / "index" / "memory", _FIELDS)
        try:
            yield cls(index, timeout_s)
        finally:
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(index.close)

    async def put(self, items: Sequence[IndexedItem]) -> None:
        """Each takes the place of the item's older entry; on disk when it returns."""
        await self._run(self._write_thread, self._put, items)

    async def drop(self, entries: Sequence[Entry]) -> None:
        """Forgets these versions and older ones. A crash may bring them back: stale entries do no harm."""
        await self._run(self._write_thread, self._drop, entries)

    async def search(self, namespace_prefix: tuple[str, ...], query: str, limit: int) -> list[Candidate]:
        """At most `limit` entries under the prefix, best first; [] when no word of the query is in any."""
        return await self._run(self._query_threads, self._search, namespace_prefix, query, limit)

    async def _run(self, limiter: CapacityLimiter, function: Callable[[Unpack[Ts]], T], *args: *Ts) -> T:
        try:
            with anyio.fail_after(self._timeout_s):
                return await to_thread.run_sync(function, *args, limiter=limiter)
        except TimeoutError as exc:
            raise KnowledgeUnavailable(f"the index of items was busy for {self._timeout_s:g} s") from exc

    def _put(self, items: Sequence[IndexedItem]) -> None:
        for tenant, some in _by_tenant(items, lambda item: item.entry).items():
            points = [self._point(item) for item in some]
            with _engine():
                known = self._index.values(tenant, [point.id for point in points], "version")
                newest = [p for p in points if known.get(p.id, 0) <= p.payload["version"]]
                if newest:
                    self._index.put(tenant, newest)

    def _drop(self, entries: Sequence[Entry]) -> None:
        for tenant, some in _by_tenant(entries, lambda entry: entry).items():
            with _engine():
                known = self._index.values(tenant, [_name(entry) for entry in some], "version")
                doomed = [_name(e) for e in some if _name(e) in known and known[_name(e)] <= e.version]
                if doomed:
                    self._index.delete(tenant, doomed)

    def _search(self, namespace_prefix: tuple[str, ...], query: str, limit: int) -> list[Candidate]:
        vector = self._bm25.embed_query(clean(query))
        with _engine():
            hits = self._index.search(namespace_prefix[0], vector, limit, within=_labels(namespace_prefix))
        return [_candidate(hit) for hit in hits]

    def _point(self, item: IndexedItem) -> Put:
        namespace, key, version = item.entry
        within = [_labels(namespace[: n + 1]) for n in range(len(namespace))]
        payload = {"within": within, "namespace": list(namespace), "key": key, "version": version}
        return Put(_name(item.entry), self._bm25.embed_document(clean("\n".join(item.texts))), payload)


@contextmanager
def _engine() -> Iterator[None]:
    try:
        yield
    except Exception as exc:  # The engine raises nothing narrower.
        raise KnowledgeUnavailable(f"the index of items failed ({exc})") from exc


def _by_tenant(some: Sequence[T], entry: Callable[[T], Entry]) -> dict[str, list[T]]:
    tenants: dict[str, list[T]] = {}
    for one in some:
        tenants.setdefault(entry(one).namespace[0], []).append(one)
    return tenants


def _name(entry: Entry) -> str:
    return _labels((*entry.namespace, entry.key))


def _labels(labels: tuple[str, ...]) -> str:
    # JSON, since a key may hold any character, a separator included.
    return json.dumps(labels)


def _candidate(hit: Hit) -> Candidate:
    payload = hit.payload
    entry = Entry(tuple(payload["namespace"]), payload["key"], payload["version"])
    return Candidate(entry, hit.score)
