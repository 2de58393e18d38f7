"""The steps of one document's ingestion. What they leave for each other lies in files, which may be gone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread

from ingestion import work
from ingestion.artifacts import Artifacts, points_file
from ingestion.budget import ByteBudget
from ingestion.chunk import digest
from ingestion.chunking import strategy_of
from ingestion.document import clean
from ingestion.embedders.configured import Embedders
from ingestion.index import Put
from ingestion.namesakes import namesakes
from ingestion.points import batches
from ingestion.reading import Reader
from ingestion.record import document_id_of
from ingestion.remote import SharedKnowledge
from ingestion.report import Labels, Report, StoredDocument
from ingestion.request import request_of
from ingestion.sources.fetch import Fetched, Remote, fetched
from ingestion.sources.locate import Rules, locate
from ingestion.sources.source import Source
from ingestion.sources.stores import BUCKETS, HOSTED
from runtime.errors import (
    RUN_ID,
    InvalidInput,
    KnowledgeUnavailable,
    ProfileMismatch,
    SourceUnavailable,
)

Update = dict[str, Any]

_RECIPE = "4"
"""Raised when parsing or chunking changes: documents read by an older recipe are read anew."""
_EMBEDDED = 64
"""Chunks that are embedded at once, and then told as done."""
_SWITCHES = 3
"""Collections that a document is embedded for, at most."""
_DISCARD_S = 5.0
_CUT_S = 300.0


@dataclass(frozen=True)
class Means:
    """What all steps of a process work with."""

    knowledge: SharedKnowledge
    reader: Reader
    budget: ByteBudget
    """For documents; the reader has another for pages: who holds of one must not wait for its like."""
    folder: Path
    """Holds a folder for each version on its way."""
    embedders: Embedders
    strategy: Mapping[str, Any]
    """Name and parameters of the chunking, where a run names none."""
    tokens: str
    """How they are counted, as `ingestion.tokens.counter` names it; never a run's to say."""
    remote: Remote

    def rules(self, roots: Sequence[Path] | None) -> Rules:
        """What may be named: files in `roots` by a client of the network; None: anything, by this machine."""
        # A client must not read by this server's rights to stores.
        schemes = BUCKETS | HOSTED if roots is None else frozenset[str]()
        return Rules(roots, schemes, self.remote.web)


@dataclass(frozen=True)
class Steps:
    """Those of one run. Each returns what it adds to the state; see `Pipeline.step`."""

    means: Means
    tenant: str
    state: Mapping[str, Any]
    report: Report
    roots: Sequence[Path] | None

    async def route(self) -> Update:
        """Fetches, and compares with what is there: the same bytes, read the same way, are `unchanged`."""
        request = request_of(self.state)
        strategy_of(self._strategy, self.means.tokens)
        source = await self._source(request.source)
        name, document_id = clean(request.name) or clean(source.name), document_id_of(source.uri)
        added: Update = {"name": name, "place": source.uri, "document_id": document_id}
        # Where a document came from decides what takes it out again: the machine's own commands say so.
        added["root"] = request.root if self.roots is None else ""
        async with self._fetched(source) as file:
            version = digest(document_id, file.sha256, self._recipe)
            added |= {"digest": file.sha256, "bytes": file.size, "version": version}
            known = await self.means.knowledge.current.shown(self.tenant, document_id)
            tags = known.tags if known and request.tags is None else request.tags or ()
            is_known = known is not None and known.version == version
            day = request.date or (known.date if known and is_known else "") or _day(source.modified)
            added["labels"] = {"tags": [*tags], "date": day}
            if known and known.version == version:
                return await self._unchanged(known, added)
            if source.path is None:
                await to_thread.run_sync(self._artifacts_of(version).keep_source, file.path)
        return {**added, "status": "working", "ingested_at": _now(), **await self._beside(added, file.sha256)}

    async def _unchanged(self, known: StoredDocument, added: Update) -> Update:
        labels = Labels(added["name"], tuple(added["labels"]["tags"]), added["labels"]["date"])
        if labels != Labels(known.document, known.tags, known.date):
            await self.means.knowledge.current.relabel(self.tenant, known.document_id, labels)
        beside = await self._beside(added, moved_digest="")
        return {**added, "status": "unchanged", "ingested_at": known.ingested_at, **beside, **_figures(known)}

    async def _beside(self, added: Update, moved_digest: str) -> Update:
        named = await self.means.knowledge.current.named(self.tenant, added["name"])
        rules = self.means.rules(self.roots)
        moved_from, others = await namesakes(named, added["document_id"], moved_digest, rules)
        # A client of the network is not told where this machine's documents are.
        return {"moved_from": moved_from, "namesakes": others if self.roots is None else []}

    async def parse(self) -> Update:
        """In a parser process; pages that are pictures come back as such, for OCR."""
        async with self._file() as path:
            read = await self.means.reader.read(path, self.state["name"], self._artifacts, self.report)
        return {"pages": read.pages, "reading": asdict(read.route)}

    async def chunk(self) -> Update:
        artifacts = self._artifacts
        if not artifacts.has("document.json"):
            await self.parse()
        state = self.state
        more = {key: state[key] for key in ("root", "digest", "ingested_at")}
        more |= {"source": state["place"], "route": state["reading"]}
        way = (self._strategy, self.means.tokens)
        what = (state["document_id"], state["version"], state["labels"], more)
        cutting = (work.cut, artifacts.folder, *way, *what)
        cut = await self.means.reader.sandbox.call(*cutting, timeout_s=_CUT_S, document=self.state["name"])
        return {"chunks": cut.chunks, "tokens": cut.tokens}

    async def embed(self) -> Update:
        """Makes the vectors of the collection that is current now."""
        await self._points_for(await self.means.knowledge.current.collection())
        return {}

    async def upsert(self) -> Update:
        """Writes the version out of sight, then shows it in the place of the one before."""
        for _ in range(_SWITCHES):
            # Another collection than at `embed`, where the index was moved since.
            collection = await self.means.knowledge.current.collection()
            await self._points_for(collection)
            with suppress(ProfileMismatch):
                await self._stage(collection)
                await self._publish(collection)
                return {}
        raise KnowledgeUnavailable(f"the index was moved {_SWITCHES} times meanwhile; ingest it again")

    def give_up(self) -> None:
        """Leaves no files of a document that cannot be read."""
        if "version" in self.state:
            self._artifacts.drop()

    async def verify(self) -> Update:
        """What searches see is this version, and all of it. Raises KnowledgeUnavailable otherwise."""
        version = self.state["version"]
        found = await self.means.knowledge.current.count(self.tenant, version)
        known = await self.means.knowledge.current.shown(self.tenant, self.state["document_id"])
        if known is None or known.version != version or found != known.chunks:
            name, chunks = self.state["name"], known.chunks if known else self.state["chunks"]
            raise KnowledgeUnavailable(
                f"the index shows {found} of {chunks} chunks of {name!r}; ingest it again"
            )
        await to_thread.run_sync(self._artifacts.drop)
        return {"status": "ingested", **_figures(known)}

    async def _points_for(self, collection: str) -> None:
        artifacts = self._artifacts
        if artifacts.has(points_file(collection)):
            return
        if not artifacts.has("records.jsonl"):
            await self.chunk()
        embedder, records, done = self.means.embedders.of(collection), artifacts.records(), 0
        with artifacts.writing_points(collection) as write:
            while batch := await to_thread.run_sync(lambda: list(islice(records, _EMBEDDED))):
                around = [str(record.payload["parent_text"]) for record in batch]
                made = await embedder.documents([record.text for record in batch], around)
                puts = [Put(r.id, vectors, r.payload) for r, vectors in zip(batch, made, strict=True)]
                await to_thread.run_sync(write, puts)
                done += len(batch)
                self.report(done, self.state.get("chunks") or done)

    async def _stage(self, collection: str) -> None:
        points, written = batches(self._artifacts.points(collection)), 0
        knowledge, version = self.means.knowledge, self.state["version"]
        try:
            while batch := await to_thread.run_sync(next, points, None):
                where = {"writer": _run(), "collection": collection}
                await knowledge.current.stage(self.tenant, version, batch, **where)
                written += len(batch)
                self.report(written, self.state["chunks"])
        except anyio.get_cancelled_exc_class():
            with anyio.move_on_after(_DISCARD_S, shield=True):
                await knowledge.current.discard(self.tenant, version, writer=_run())
            raise

    async def _publish(self, collection: str) -> None:
        moved_from = self.state["moved_from"]
        await self.means.knowledge.current.publish(
            self.tenant,
            self.state["document_id"],
            self.state["version"],
            points=self.state["chunks"],
            collection=collection,
            keep=bool(self.state.get("keep_versions")),
            moved_from=document_id_of(moved_from) if moved_from else "",
        )

    async def _source(self, named: str) -> Source:
        found = await locate([named], self.means.rules(self.roots))
        if len(found) != 1:
            raise InvalidInput(f"{named!r} stands for {len(found)} documents; a run takes one")
        return found[0]

    @asynccontextmanager
    async def _file(self) -> AsyncIterator[Path]:
        """The document's bytes, those that `route` saw. Raises SourceUnavailable when they have changed."""
        kept = self._artifacts.source
        if kept.exists():
            yield kept
            return
        async with self._fetched(await self._source(self.state["source"])) as file:
            if file.sha256 != self.state["digest"]:
                name = self.state["name"]
                raise SourceUnavailable(f"{name!r} has changed since its run began; ingest it again")
            yield file.path

    @asynccontextmanager
    async def _fetched(self, source: Source) -> AsyncIterator[Fetched]:
        means = self.means
        async with fetched(source, means.reader.options.limits, means.budget, means.remote) as file:
            yield file

    @property
    def _strategy(self) -> Mapping[str, Any]:
        return self.state.get("strategy") or self.means.strategy

    @property
    def _recipe(self) -> str:
        """All that decides what becomes of the same bytes."""
        strategy = json.dumps(self._strategy, sort_keys=True)
        return digest(_RECIPE, strategy, self.means.tokens, self.means.reader.recipe)

    @property
    def _artifacts(self) -> Artifacts:
        return self._artifacts_of(self.state["version"])

    def _artifacts_of(self, version: str) -> Artifacts:
        return Artifacts(self.means.folder / digest(self.tenant, version))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _day(modified: float | None) -> str:
    """Of a source that was last changed then; today where that is not known."""
    return (datetime.fromtimestamp(modified, UTC) if modified else datetime.now(UTC)).date().isoformat()


def _run() -> str:
    return RUN_ID.get() or ""


def _figures(known: StoredDocument) -> Update:
    """What the run says of a document that is in the index."""
    return {
        "pages": known.pages,
        "chunks": known.chunks,
        "tokens": known.tokens,
        "reading": dict(known.route),
        "notes": list(known.notes),
        "hidden": known.hidden,
    }
