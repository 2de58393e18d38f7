"""`cornerman ingest`: documents into the knowledge, with progress bars and a table at the end."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import anyio
from anyio import CancelScope
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from compose import Installation, open_installation
from ingestion.report import STAGES
from ingestion.sources.locate import Rules, locate
from ingestion.sources.place import place_of
from ingestion.sources.source import Source
from runtime.errors import DocumentError, Interrupted
from runtime.settings import Settings
from terminal.documents import check_tenant
from terminal.ingest_missing import without_missing
from terminal.ingest_runs import Outcome, Watch, ingest_all
from terminal.ingest_table import explained, remarks, results_table, totals


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
    tags: Sequence[str] | None = None
    """None: those that a document has."""
    date: str | None = None
    """None: the day when its source was last changed."""


async def ingest_asked(settings: Settings, asked: Asked, console: Console) -> list[Outcome]:
    """Ingests by the installation's workers, by this process where there are none; prints what became of it.

    What is asked for and cannot be found is an outcome too. Raises InvalidInput for the tenant, and
    Interrupted, after it has printed how far it came.
    """
    check_tenant(asked.tenant)
    began = time.monotonic()
    async with open_installation(settings, own_index=True, work="if_nobody_does") as installation:
        outcomes = await ingest(installation, asked, console)
    _show(outcomes, asked, time.monotonic() - began, console)
    if any(outcome.status == "cancelled" for outcome in outcomes):
        raise Interrupted
    return outcomes


def _show(outcomes: Sequence[Outcome], asked: Asked, took_s: float, console: Console) -> None:
    if asked.as_json:
        rows = [asdict(outcome) for outcome in outcomes]
        console.print_json(data={"documents": rows, "totals": asdict(totals(outcomes, took_s))})
        return
    if asked.explain:
        console.print(explained(outcomes))
    console.print(results_table(outcomes))
    for remark in remarks(outcomes):
        # A path cut in two cannot be copied.
        console.print(remark, soft_wrap=True)
    console.print(str(totals(outcomes, took_s)), highlight=False)


async def ingest(installation: Installation, asked: Asked, console: Console) -> list[Outcome]:
    """One outcome per document, then those of the documents that are no longer where they came from."""
    sources, lost = await _located(asked.sources, installation.pipeline.means.rules(None))
    # All of it each time: what a run does not say, its thread still knows from the run before.
    tags = list(asked.tags) if asked.tags is not None else None
    labels = {"tags": tags, "date": asked.date}
    more = {"keep_versions": asked.keep_versions, "strategy": dict(asked.strategy), **labels}
    with _bars(console, len(sources), shown=not asked.as_json) as watch:
        async with anyio.create_task_group() as tasks:
            stop = CancelScope()
            tasks.start_soon(_cancel_when_interrupted, stop)
            outcomes = await ingest_all(installation, asked.tenant, sources, watch, more, stop)
            tasks.cancel_scope.cancel()
        if stop.cancel_called:
            # What is open is closed in seconds. A second one in the middle of that would leave threads behind
            # that the process waits for without an end.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
    outcomes = [*lost, *outcomes]
    if asked.keep_missing or stop.cancel_called:
        return outcomes
    return await without_missing(installation.knowledge.current, asked.tenant, sources, outcomes)


async def _cancel_when_interrupted(stop: CancelScope) -> None:
    with anyio.open_signal_receiver(signal.SIGINT) as signals:
        async for _ in signals:
            stop.cancel()


async def _located(named: Sequence[str], allowed: Rules) -> tuple[list[Source], list[Outcome]]:
    """The sources of all that can be found, and what became of the rest. Names are given in one go."""
    found, outcomes = [], []
    for name in named:
        try:
            await locate([name], allowed)
            found.append(name)
        except DocumentError as exc:
            place = exc.details.get("place") or place_of(name)
            outcomes.append(Outcome(name, "refused", place, code=exc.code, reason=str(exc)))
    return await locate(found, allowed), outcomes


@contextmanager
def _bars(console: Console, documents: int, *, shown: bool) -> Iterator[Watch]:
    """A bar for each stage, of the documents that are past it, one for pages of OCR and one for vectors."""
    columns = (TextColumn("{task.description:>7}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not shown) as progress:
        bars = {stage: progress.add_task(stage, total=documents) for stage in STAGES}
        counted = {name: progress.add_task(name, total=0, visible=False) for name in ("ocr", "chunks")}
        parts: dict[str, dict[str, tuple[int, int]]] = {name: {} for name in counted}

        def on_stage(document: str, stage: str) -> None:
            # A stage begins when those before it are over; at its end a document is past all of them.
            at = STAGES.index(stage) if stage in STAGES else len(STAGES)
            for earlier in STAGES[:at]:
                past.setdefault(earlier, set()).add(document)
                progress.update(bars[earlier], completed=len(past[earlier]))

        def on_parts(name: str, document: str, done: int, total: int) -> None:
            parts[name][document] = (done, total)
            ended, there = (sum(column) for column in zip(*parts[name].values(), strict=True))
            progress.update(counted[name], completed=ended, total=there, visible=True)

        past: dict[str, set[str]] = {}
        yield Watch(on_stage, partial(on_parts, "ocr"), partial(on_parts, "chunks"))
