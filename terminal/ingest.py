"""`cornerman ingest`: documents into the knowledge, with progress bars and a table at the end."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from compose import Installation, open_installation
from ingestion.document import clean
from ingestion.report import STAGES
from ingestion.sources.locate import Rules, locate
from ingestion.sources.source import Source
from ingestion.sources.stores import BUCKETS, HOSTED
from ingestion.sources.web import WebRules
from runtime.auth import Name as TenantName
from runtime.errors import DocumentError, DocumentMissing, InvalidInput
from runtime.settings import Settings
from terminal.ingest_runs import Outcome, Watch, ingest_all, root_of
from terminal.ingest_table import explained, results_table, totals


@dataclass(frozen=True)
class Asked:
    """What the command line says."""

    sources: Sequence[str]
    tenant: str
    explain: bool = False
    as_json: bool = False
    keep_versions: bool = False
    keep_missing: bool = False
    strategy: Mapping[str, Any] = field(default_factory=dict)
    """Name and parameters of the chunking; {}: as configured."""


async def ingest_asked(settings: Settings, asked: Asked, console: Console) -> list[Outcome]:
    """Ingests by the installation's workers, by this process where there are none; prints what became of it.

    What is asked for and cannot be found is an outcome too. Raises InvalidInput for the tenant.
    """
    _check_tenant(asked.tenant)
    sources, outcomes = await _located(asked.sources, rules(settings))
    began = time.monotonic()
    async with open_installation(settings, own_index=True, work="if_nobody_does") as installation:
        outcomes += await ingest(installation, asked, sources, console)
    took_s = time.monotonic() - began
    if asked.as_json:
        rows = [asdict(outcome) for outcome in outcomes]
        console.print_json(data={"documents": rows, "totals": asdict(totals(outcomes, took_s))})
        return outcomes
    if asked.explain:
        console.print(explained(outcomes))
    console.print(results_table(outcomes))
    console.print(str(totals(outcomes, took_s)), highlight=False)
    return outcomes


async def _located(named: Sequence[str], allowed: Rules) -> tuple[list[Source], list[Outcome]]:
    """The sources of all that can be found, and what became of the rest. Names are given in one go."""
    found, outcomes = [], []
    for name in named:
        try:
            await locate([name], allowed)
            found.append(name)
        except DocumentError as exc:
            outcomes.append(Outcome(name, "refused", code=exc.code, reason=str(exc)))
    return await locate(found, allowed), outcomes


def _check_tenant(tenant: str) -> None:
    try:
        TypeAdapter(TenantName).validate_python(tenant)
    except ValidationError as exc:
        raise InvalidInput(
            f"{tenant!r} is no tenant of an API key: 1 to 100 signs, but no space, slash, brace or star"
        ) from exc


def rules(settings: Settings) -> Rules:
    """What the user of this machine may name."""
    return Rules(schemes=BUCKETS | HOSTED, web=WebRules(allowed_hosts=frozenset(settings.hosts)))


async def forget_documents(
    settings: Settings, tenant: str, documents: Sequence[str], console: Console
) -> None:
    """Takes documents out of the knowledge. Raises DocumentMissing for the first that is not there."""
    _check_tenant(tenant)
    async with open_installation(settings, own_index=True, work=False) as installation:
        for name in map(clean, documents):
            if not await installation.knowledge.current.remove(tenant, name):
                raise DocumentMissing(f"there is no document {name!r} in the knowledge", document=name)
            console.print(Text(f"{name} is forgotten"))


async def ingest(
    installation: Installation, asked: Asked, sources: Sequence[Source], console: Console
) -> list[Outcome]:
    """One outcome per document, then those of the documents that are no longer where they came from."""
    # All of it each time: what a run does not say, its thread still knows from the run before.
    more = {"keep_versions": asked.keep_versions, "strategy": dict(asked.strategy)}
    with _bars(console, len(sources), shown=not asked.as_json) as watch:
        outcomes = await ingest_all(installation, asked.tenant, sources, watch, more)
    if asked.keep_missing:
        return outcomes
    return [*outcomes, *await _removed(installation, asked.tenant, sources)]


async def _removed(installation: Installation, tenant: str, sources: Sequence[Source]) -> list[Outcome]:
    """Takes out what an earlier command found in the same folders, and this one does not."""
    roots = {root_of(source).rstrip("/") for source in sources}
    named = {clean(source.name) for source in sources}
    gone = [
        document.document
        for document in await installation.knowledge.current.documents(tenant)
        if document.document not in named and any(_is_within(document.root, root) for root in roots)
    ]
    for name in gone:
        await installation.knowledge.current.remove(tenant, name)
    return [Outcome(name, "removed", reason="it is no longer there") for name in gone]


def _is_within(place: str, root: str) -> bool:
    """Whether a document came with that folder, glob or URL, or was once named itself in it."""
    return place.rstrip("/") == root or place.startswith(f"{root}/")


@contextmanager
def _bars(console: Console, documents: int, *, shown: bool) -> Iterator[Watch]:
    """A bar for each stage, of the documents that are past it, and one for pages that OCR reads."""
    columns = (TextColumn("{task.description:>7}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not shown) as progress:
        bars = {stage: progress.add_task(stage, total=documents) for stage in STAGES}
        ocr = progress.add_task("ocr", total=0, visible=False)
        pages: dict[str, tuple[int, int]] = {}

        def on_stage(document: str, stage: str) -> None:
            # A stage begins when those before it are over; at its end a document is past all of them.
            at = STAGES.index(stage) if stage in STAGES else len(STAGES)
            for earlier in STAGES[:at]:
                past.setdefault(earlier, set()).add(document)
                progress.update(bars[earlier], completed=len(past[earlier]))

        def on_pages(document: str, done: int, total: int) -> None:
            pages[document] = (done, total)
            read, all_pages = (sum(column) for column in zip(*pages.values(), strict=True))
            progress.update(ocr, completed=read, total=all_pages, visible=True)

        past: dict[str, set[str]] = {}
        yield Watch(on_stage, on_pages)
