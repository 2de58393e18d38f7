"""The steps of one document's ingestion. What they leave for each other lies in files, which may be gone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread

from ingestion import work
from ingestion.artifacts import Artifacts
from ingestion.budget import ByteBudget
from ingestion.chunk import digest
from ingestion.chunking import strategy_of
from ingestion.document import clean
from ingestion.reading import Reader
from ingestion.remote import SharedKnowledge
from ingestion.report import Report, StoredDocument
from ingestion.request import request_of
from ingestion.sources.fetch import Fetched, Remote, fetched
from ingestion.sources.locate import Rules, locate
from ingestion.sources.source import Source
from ingestion.sources.stores import BUCKETS, HOSTED
from runtime.errors import RUN_ID, InvalidInput, KnowledgeUnavailable, SourceUnavailable

Update = dict[str, Any]

_RECIPE = "2"
"""Raised when parsing, chunking or embedding changes: documents read by an older recipe are read anew."""
_BATCH = 256
"""Points written at once."""
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
    strategy: Mapping[str, Any]
    """Name and parameters of the chunking, where a run names none."""
    tokens: str
    """How they are counted, as `ingestion.tokens.counter` names it; never a run's to say."""
    remote: Remote


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
        name = clean(request.name) or clean(source.name)
        # Where a document came from decides what takes it out again: the machine's own commands say so.
        root = request.root if self.roots is None else ""
        async with self._fetched(source) as file:
            version = digest(name, file.sha256, self._recipe)
            added: Update = {"name": name, "root": root, "digest": file.sha256, "version": version}
            added["bytes"] = file.size
            if known := await self.means.knowledge.current.known(self.tenant, name, version):
                return {**added, "status": "unchanged", **_figures(known)}
            if source.path is None:
                await to_thread.run_sync(self._artifacts_of(version).keep_source, file.path)
        before = await self.means.knowledge.current.named(self.tenant, name)
        elsewhere = before.root if before and before.root != root else ""
        return {**added, "status": "working", "replaces": elsewhere}

    async def parse(self) -> Update:
        """In a parser process; pages that are pictures come back as such, for OCR."""
        async with self._file() as path:
            read = await self.means.reader.read(path, self.state["name"], self._artifacts, self.report)
        return {"pages": read.pages, "reading": asdict(read.route)}

    async def chunk(self) -> Update:
        artifacts = self._artifacts
        if not artifacts.has("document.json"):
            await self.parse()
        more = {"root": self.state.get("root", ""), "route": self.state["reading"]}
        cutting = (work.cut, artifacts.folder, self._strategy, self.means.tokens, self.state["version"], more)
        cut = await self.means.reader.sandbox.call(*cutting, timeout_s=_CUT_S, document=self.state["name"])
        return {"chunks": cut.chunks, "tokens": cut.tokens}

    async def embed(self) -> Update:
        artifacts = self._artifacts
        if not artifacts.has("records.jsonl"):
            await self.chunk()
        embedding = (work.embed, artifacts.folder)
        await self.means.reader.sandbox.call(*embedding, timeout_s=_CUT_S, document=self.state["name"])
        return {}

    async def upsert(self) -> Update:
        """Writes the version out of sight, then shows it in the place of the one before."""
        if not self._artifacts.has("points.jsonl"):
            await self.embed()
        try:
            await self._stage()
        except anyio.get_cancelled_exc_class():
            with anyio.move_on_after(_DISCARD_S, shield=True):
                version = self.state["version"]
                await self.means.knowledge.current.discard(self.tenant, version, writer=_run())
            raise
        keep, count = bool(self.state.get("keep_versions")), self.state["chunks"]
        place = (self.tenant, self.state["name"], self.state["version"])
        await self.means.knowledge.current.publish(*place, points=count, keep=keep)
        return {}

    def give_up(self) -> None:
        """Leaves no files of a document that cannot be read."""
        if "version" in self.state:
            self._artifacts.drop()

    async def verify(self) -> Update:
        """What searches see is this version, and all of it. Raises KnowledgeUnavailable otherwise."""
        name, version = self.state["name"], self.state["version"]
        found = await self.means.knowledge.current.count(self.tenant, version)
        known = await self.means.knowledge.current.known(self.tenant, name, version)
        if known is None or found != self.state["chunks"]:
            raise KnowledgeUnavailable(
                f"the index shows {found} of {self.state['chunks']} chunks of {name!r}; ingest it again"
            )
        await to_thread.run_sync(self._artifacts.drop)
        return {"status": "ingested", **_figures(known)}

    async def _stage(self) -> None:
        points, written = self._artifacts.points(), 0
        while batch := await to_thread.run_sync(lambda: list(islice(points, _BATCH))):
            version = self.state["version"]
            await self.means.knowledge.current.stage(self.tenant, version, batch, writer=_run())
            written += len(batch)
            self.report(written, self.state["chunks"])

    async def _source(self, named: str) -> Source:
        # A client of the network must not read by this server's rights to stores.
        schemes = BUCKETS | HOSTED if self.roots is None else frozenset[str]()
        found = await locate([named], Rules(self.roots, schemes, self.means.remote.web))
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
