"""Memory of an installation in this process: one long PDF, many files, a hundred that are refused."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import NamedTuple

from anyio import run_process

from benchmarks.checkpoints.goals import Goal
from benchmarks.ingest.report import Findings, Table
from benchmarks.ingest.resident import Trend, at_rest, sampled, trend
from compose import Installation, open_installation
from ingestion.budget import ByteBudget
from ingestion.sources.locate import locate
from runtime.settings import load
from terminal.ingest_runs import Outcome, Watch, ingest_all

PAGES, FILES, EXCEPTIONS = 2_000, 1_000, 100
_MB = 1_000
_GROWTH = 1.05
"""Flat: what the parent holds at the end, without what the index keeps, by what it holds after warming up."""
_INDEX_KB = 1.2
"""For a chunk. Five readings of the PDF in a row left 6 to 17 MB each for 10,274 chunks, 0.04 MB of them in
Python's objects: the rest is the index, held outside Python. What is kept beyond that counts as growth."""


class _Measured(NamedTuple):
    memory: Trend
    seconds: float
    statuses: Counter[str]
    kept_mb: float
    chunks: int

    @property
    def growth(self) -> float:
        """As `Trend.growth`, without what the index keeps."""
        index_mb = min(self.kept_mb, self.chunks * _INDEX_KB / 1e3)
        return self.memory.growth - index_mb / self.memory.own_warm


async def measure(corpus: Path | None) -> Findings:
    """Needs no corpus."""
    found: dict[str, _Measured] = {}
    with TemporaryDirectory() as name:
        folder = Path(name)
        await run_process([sys.executable, "-m", "benchmarks.ingest.memory_files", name])
        settings = load(data_dir=folder / "data")
        async with open_installation(settings, own_index=True, work=True) as installation:
            # A process that has read nothing yet grows by what it then has for good.
            await _measured(installation, "first", folder / "long.pdf")
            found[f"a PDF of {PAGES:,} pages"] = await _measured(installation, "second", folder / "long.pdf")
            found[f"a folder of {FILES:,} files"] = await _measured(installation, "second", folder / "many")
            refused = await _exceptions(installation, folder / "broken")
            budgets = (installation.pipeline.means.budget, installation.pipeline.means.reader.budget)
            left = [(budget.active_buffers, budget.held_bytes, budget.leak_count) for budget in budgets]
    columns = (
        "",
        "s",
        "peak MB",
        "end MB",
        "own MB",
        "growth",
        "MB/min",
        "kept MB",
        "chunks",
        "kB a chunk",
        "parsers' peak",
        "largest parser",
        "",
    )
    rows = [_row(name, one) for name, one in found.items()]
    goals = [goal for name, one in found.items() for goal in _goals(name, one)]
    goals += [
        Goal(f"active_buffers after {EXCEPTIONS} refusals and exceptions", sum(one[0] for one in left), 0),
        Goal("bytes held then", sum(one[1] for one in left), 0),
        Goal("leak_count then", sum(one[2] for one in left), 0),
    ]
    return Findings([Table("Resident memory", columns, rows)], goals, [f"Broken files: {_counted(refused)}."])


def _goals(name: str, measured: _Measured) -> list[Goal]:
    return [
        Goal(f"{name}: the parent's peak, MB", measured.memory.peak, _MB),
        Goal(f"{name}: the parent's own without the index, at the end / warm", measured.growth, _GROWTH),
    ]


async def _measured(installation: Installation, tenant: str, path: Path) -> _Measured:
    sources = await locate([path])
    before, began = at_rest(), perf_counter()
    async with sampled() as samples:
        outcomes = await ingest_all(installation, tenant, sources, _SILENT, {})
    seconds = perf_counter() - began
    chunks = sum(outcome.chunks for outcome in outcomes)
    return _Measured(trend(samples), seconds, _statuses(outcomes), at_rest() - before, chunks)


async def _exceptions(installation: Installation, folder: Path) -> Counter[str]:
    """Documents that are refused on their way, and as many exceptions in the block of a hold."""
    outcomes = await ingest_all(installation, "third", await locate([folder]), _SILENT, {})
    for budget in (installation.pipeline.means.budget, installation.pipeline.means.reader.budget):
        for number in range(EXCEPTIONS):
            with suppress(ZeroDivisionError):
                await _fail(budget, number)
    return _statuses(outcomes)


async def _fail(budget: ByteBudget, number: int) -> None:
    async with budget.hold(1_000 + number, "a document"):
        raise ZeroDivisionError


_SILENT = Watch(lambda *_: None, lambda *_: None, lambda *_: None)


def _statuses(outcomes: Sequence[Outcome]) -> Counter[str]:
    return Counter(f"{outcome.status} {outcome.code}".strip() for outcome in outcomes)


def _row(name: str, measured: _Measured) -> Sequence[str]:
    memory = measured.memory
    sizes = (f"{memory.peak:,.0f}", f"{memory.end:,.0f}", f"{memory.own_end:,.0f}")
    flat = (f"{memory.growth:.3f}", f"{memory.slope_a_minute:+.1f}")
    kept = (
        f"{measured.kept_mb:.1f}",
        f"{measured.chunks:,}",
        f"{measured.kept_mb * 1e3 / max(1, measured.chunks):.2f}",
    )
    parsers = (f"{memory.children_peak:,.0f}", f"{memory.child_peak:,.0f}")
    return (name, f"{measured.seconds:.0f}", *sizes, *flat, *kept, *parsers, _counted(measured.statuses))


def _counted(outcomes: Counter[str]) -> str:
    return ", ".join(f"{count} {status}" for status, count in sorted(outcomes.items()))
