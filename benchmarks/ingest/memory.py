"""Memory of an installation in this process: one long PDF, many files, a hundred that are refused."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from anyio import run_process

from benchmarks.checkpoints.goals import Goal
from benchmarks.ingest.report import Findings, Table
from benchmarks.ingest.resident import Trend, sampled, trend
from compose import Installation, open_installation
from ingestion.budget import ByteBudget
from ingestion.sources.locate import locate
from runtime.settings import load
from terminal.ingest_runs import Outcome, Watch, ingest_all

PAGES, FILES, EXCEPTIONS = 2_000, 1_000, 100
_MB = 1_000
_GROWTH = 1.1
"""Flat: what the parent holds at the end, by what it holds after warming up. The index is in it, and keeps
some 0.8 kB for each chunk: five readings of the PDF added 8 MB each."""


async def measure(corpus: Path | None) -> Findings:
    """Needs no corpus."""
    found: dict[str, tuple[Trend, float, Counter[str]]] = {}
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
        "parsers' peak",
        "largest parser",
        "",
    )
    rows = [_row(name, *one) for name, one in found.items()]
    goals = [goal for name, (memory, _, _) in found.items() for goal in _goals(name, memory)]
    goals += [
        Goal(f"active_buffers after {EXCEPTIONS} refusals and exceptions", sum(one[0] for one in left), 0),
        Goal("bytes held then", sum(one[1] for one in left), 0),
        Goal("leak_count then", sum(one[2] for one in left), 0),
    ]
    return Findings([Table("Resident memory", columns, rows)], goals, [f"Broken files: {_counted(refused)}."])


def _goals(name: str, memory: Trend) -> list[Goal]:
    return [
        Goal(f"{name}: the parent's peak, MB", memory.peak, _MB),
        Goal(f"{name}: the parent's own at the end / after warming up", memory.growth, _GROWTH),
    ]


async def _measured(installation: Installation, tenant: str, path: Path) -> tuple[Trend, float, Counter[str]]:
    """Memory, seconds, and how many documents came to what."""
    sources = await locate([path])
    began = perf_counter()
    async with sampled() as samples:
        outcomes = await ingest_all(installation, tenant, sources, _SILENT, {})
    return trend(samples), perf_counter() - began, _statuses(outcomes)


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


_SILENT = Watch(lambda document, stage: None, lambda document, done, total: None)


def _statuses(outcomes: Sequence[Outcome]) -> Counter[str]:
    return Counter(f"{outcome.status} {outcome.code}".strip() for outcome in outcomes)


def _row(name: str, memory: Trend, seconds: float, outcomes: Counter[str]) -> Sequence[str]:
    sizes = (f"{memory.peak:,.0f}", f"{memory.end:,.0f}", f"{memory.own_end:,.0f}")
    parsers = (f"{memory.children_peak:,.0f}", f"{memory.child_peak:,.0f}")
    flat = (f"{memory.growth:.3f}", f"{memory.slope_a_minute:+.1f}")
    return (name, f"{seconds:.0f}", *sizes, *flat, *parsers, _counted(outcomes))


def _counted(outcomes: Counter[str]) -> str:
    return ", ".join(f"{count} {status}" for status, count in sorted(outcomes.items()))
