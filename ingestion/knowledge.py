"""The knowledge of all tenants: documents in, passages out."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import blake2b
from pathlib import Path
from typing import TypeVar, TypeVarTuple, Unpack

import anyio
from anyio import CapacityLimiter, to_thread

from ingestion.chunk import chunk
from ingestion.document import Document, clean
from ingestion.embed import bm25
from ingestion.index import Hit, Index, Put
from ingestion.owner import owned
from ingestion.record import STORED, Record, document_id_of, passage, records, stored
from ingestion.report import Ingested, Progress, Stats, StoredDocument
from ingestion.route import parse
from runtime.errors import DocumentError, DocumentMissing, DocumentTooLarge, SettingsInvalid
from runtime.passage import Passage

__all__ = ["Ingested", "Knowledge", "Progress", "Stats", "StoredDocument"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
Report = Callable[[Progress], None]

_RECIPE = "1"
"""Raised when parsing, chunking or embedding changes: documents read by an older recipe are read anew."""
_QUERY_THREADS = 4
_WORK_THREADS = 2
_EMBED_BATCH = 256
_MIN_CHILD_TOKENS = 16
_HITS_PER_PASSAGE = 8
"""Children fetched for each passage asked for: a parent has about four, and counts once."""
_MAX_HITS = 2_000


class Knowledge:
    """Every method takes the tenant first and sees nothing of another. Opened by `Knowledge.open`."""

    def __init__(self, index: Index, *, child_tokens: int, parent_tokens: int, max_bytes: int) -> None:
        self._index = index
        self._bm25 = bm25()
        self._child_tokens = child_tokens
        self._parent_tokens = parent_tokens
        self._max_bytes = max_bytes
        # Apart, so that a search never waits for a parser.
        self._query_threads = CapacityLimiter(_QUERY_THREADS)
        self._work_threads = CapacityLimiter(_WORK_THREADS)
        self._writing = anyio.Lock()

    @classmethod
    @asynccontextmanager
    async def open(
        cls, data_dir: Path, *, child_tokens: int, parent_tokens: int, max_bytes: int
    ) -> AsyncIterator[Knowledge]:
        """The index in `data_dir/index`, created where there is none, owned until the block ends.

        Raises KnowledgeUnavailable naming the pid that owns it, SettingsInvalid for a folder that cannot be
        written or for token limits without sense.
        """
        if not _MIN_CHILD_TOKENS <= child_tokens <= parent_tokens:
            raise SettingsInvalid(
                f"child_tokens is {child_tokens} and parent_tokens {parent_tokens}; needed is"
                f" {_MIN_CHILD_TOKENS} <= child_tokens <= parent_tokens"
            )
        folder = data_dir / "index"
        with owned(folder):
            index = await to_thread.run_sync(Index.open, folder / "shard")
            try:
                yield cls(index, child_tokens=child_tokens, parent_tokens=parent_tokens, max_bytes=max_bytes)
            finally:
                with anyio.CancelScope(shield=True):
                    await to_thread.run_sync(index.close)

    async def ingest(
        self, tenant: str, path: Path, *, name: str | None = None, on_progress: Report | None = None
    ) -> Ingested:
        """Reads one file into the tenant's index under `name`, by default the file's own.

        The same content again is `unchanged`; other content under the same name takes the place of the old.
        A file that cannot be read is `refused`, and what the index held under its name stays. `on_progress`
        is called in the event loop.
        """
        name = clean(name or path.name)
        report = on_progress or _silent
        try:
            data = await self._work(_read, path, name, self._max_bytes)
            content = self._content(data)
            if known := await self._work(self._known, tenant, name, content):
                return Ingested(name, "unchanged", known.pages, known.chunks, known.tokens)
            report(Progress(name, "parse", 0, 1))
            document = await self._work(parse, data, name)
        except DocumentError as exc:
            return Ingested(name, "refused", code=exc.code, reason=str(exc))
        report(Progress(name, "chunk", 0, 1))
        made = await self._work(self._records, document, content)
        points = await self._embed(name, made, report)
        report(Progress(name, "index", 0, 1))
        async with self._writing:
            await self._work(self._replace, tenant, name, content, points)
        report(Progress(name, "index", 1, 1))
        figures = stored(made[0].payload)
        return Ingested(name, "ingested", figures.pages, figures.chunks, figures.tokens, notes=document.notes)

    async def search(self, tenant: str, query: str, *, limit: int = 5) -> list[Passage]:
        """At most `limit` passages, best first, each parent once with its best child as the quote.

        [] when no word of the query, stop words left out, stands in the tenant's documents. Any shared word
        gives a hit, so weak ones come too: their scores are low, and comparable within one search only.
        """
        return [passage(hit) for hit in await self._query(self._best_children, tenant, query, limit)]

    async def documents(self, tenant: str) -> list[StoredDocument]:
        """The tenant's documents by name."""
        rows = await self._query(lambda: self._index.read(tenant, STORED, ordinal=0))
        by_name = {row["document"]: stored(row) for row in rows}
        return [by_name[name] for name in sorted(by_name)]

    async def stats(self, tenant: str) -> Stats:
        """Sums over the tenant's documents."""
        documents = await self.documents(tenant)
        languages: Counter[str] = Counter()
        for document in documents:
            languages.update(document.languages)
        chunks, tokens = sum(d.chunks for d in documents), sum(d.tokens for d in documents)
        return Stats(len(documents), chunks, tokens, dict(languages))

    async def remove(self, tenant: str, document: str) -> bool:
        """Takes the document of that name out of the index; False when there is none."""
        async with self._writing:
            return await self._work(self._remove, tenant, document)

    async def _query(self, function: Callable[[Unpack[Ts]], T], *args: *Ts) -> T:
        return await to_thread.run_sync(function, *args, limiter=self._query_threads)

    async def _work(self, function: Callable[[Unpack[Ts]], T], *args: *Ts) -> T:
        return await to_thread.run_sync(function, *args, limiter=self._work_threads)

    def _content(self, data: bytes) -> str:
        recipe = f"{_RECIPE}:{self._child_tokens}:{self._parent_tokens}"
        return blake2b(data, digest_size=16, salt=b"content", key=recipe.encode()).hexdigest()

    def _known(self, tenant: str, name: str, content: str) -> StoredDocument | None:
        """The document when the index holds this content of it, and nothing of another besides."""
        rows = self._index.read(tenant, STORED, document=name, content=content, ordinal=0)
        if not rows or self._index.holds_other(tenant, document=name, content=content):
            return None
        return stored(rows[0])

    def _records(self, document: Document, content: str) -> list[Record]:
        families = chunk(
            document,
            document_id_of(document.name),
            child_tokens=self._child_tokens,
            parent_tokens=self._parent_tokens,
        )
        return records(document, families, content)

    async def _embed(self, name: str, made: list[Record], report: Report) -> list[Put]:
        points: list[Put] = []
        for at in range(0, len(made), _EMBED_BATCH):
            report(Progress(name, "embed", at, len(made)))
            batch = made[at : at + _EMBED_BATCH]
            points += await self._work(self._vectors, batch)
        report(Progress(name, "embed", len(made), len(made)))
        return points

    def _vectors(self, batch: list[Record]) -> list[Put]:
        return [Put(r.id, self._bm25.embed_document(r.text), r.payload) for r in batch]

    def _replace(self, tenant: str, name: str, content: str, points: list[Put]) -> None:
        # In this order a crash in between leaves both versions, and `_known` then does it again.
        self._index.put(tenant, points)
        self._index.drop(tenant, document=name, but_content=content)

    def _remove(self, tenant: str, name: str) -> bool:
        there = bool(self._index.read(tenant, ["document"], document=name))
        if there:
            self._index.drop(tenant, document=name)
        return there

    def _best_children(self, tenant: str, query: str, limit: int) -> list[Hit]:
        vector = self._bm25.embed_query(clean(query))
        wanted = limit * _HITS_PER_PASSAGE
        while True:
            hits = self._index.search(tenant, vector, wanted)
            best: dict[str, Hit] = {}
            for hit in hits:
                best.setdefault(hit.payload["parent_id"], hit)
            if len(best) >= limit or len(hits) < wanted or wanted >= _MAX_HITS:
                return list(best.values())[:limit]
            wanted = min(wanted * 4, _MAX_HITS)


def _silent(_: Progress) -> None:
    """The progress of a caller who does not ask."""


def _read(path: Path, name: str, max_bytes: int) -> bytes:
    """The file's bytes. Raises DocumentMissing, DocumentTooLarge."""
    try:
        if not path.is_file():
            raise DocumentMissing(f"there is no file {str(path)!r}", document=name)
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as exc:
        raise DocumentMissing(f"{str(path)!r} cannot be read: {exc.strerror}", document=name) from exc
    if len(data) > max_bytes:
        raise DocumentTooLarge(
            f"{name!r} has {path.stat().st_size} bytes; at most {max_bytes} are read",
            document=name,
            limit=max_bytes,
        )
    return data
