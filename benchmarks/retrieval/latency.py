"""One hybrid query of ours beside the engine's own call, from 1,000 points to 200,000."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import anyio

from benchmarks.checkpoints.goals import Goal
from benchmarks.ingest.report import Findings, Table, number
from benchmarks.retrieval.given import Given

_SIZES = (1_000, 10_000, 50_000, 200_000)
_JUDGED = 50_000
_TO_ENGINE, _P99_MS, _BEAT_MS = 1.15, 25.0, 10.0
_TIMEOUT_S = 900.0
_TIMES = (
    "points",
    "queries",
    "search p50 ms",
    "p99",
    "adapter p50",
    "engine p50",
    "p99",
    "in a thread p50",
    "search / engine",
    "adapter / engine",
)
_COSTS = (
    "points",
    "inserted/s",
    "queries/s, 16 at once",
    "beat late p99, ms",
    "worst",
    "idle",
    "own MB",
    "disk MB",
)
_REMARK = (
    "1024-dim dense and sparse vectors, one tenant of two (with four fifths of all), parents in payloads."
    " Search is `Knowledge.search`: the journal, a hundred children, ten parents as passages; adapter is"
    " `Index.search` for ten points. Ratios are medians over the queries, each asked in all ways in turn, to"
    " the engine's call for ten points on the event loop itself. The engine holds Python's lock while it"
    " searches, so that the beat is late by a search; own MB is memory that is not mapped from files."
)


async def measure(given: Given) -> Findings:
    """Needs no sets. Each size has a process of its own."""
    found = [await _one(size) for size in _SIZES]
    tables = [
        Table("One hybrid query", _TIMES, [_times(each) for each in found]),
        Table("What an index costs, and 16 queries at once", _COSTS, [_costs(each) for each in found]),
    ]
    return Findings(tables, [goal for each in found for goal in _goals(each)], [_REMARK])


async def _one(size: int) -> Mapping[str, Any]:
    with anyio.fail_after(_TIMEOUT_S):
        command = [sys.executable, "-m", "benchmarks.retrieval.one_size", str(size)]
        done = await anyio.run_process(command, stderr=None)
    figures: Mapping[str, Any] = json.loads(done.stdout)
    return figures


def _times(each: Mapping[str, Any]) -> Sequence[str]:
    values = (*each["whole"], each["ours"][0], *each["direct"], each["threaded"][0])
    return (
        f"{each['points']:,}",
        str(each["queries"]),
        *(f"{value:.2f}" for value in values),
        f"{each['whole_to_direct']:.3f}",
        f"{each['to_direct']:.3f}",
    )


def _costs(each: Mapping[str, Any]) -> Sequence[str]:
    names = ("inserted_per_s", "queries_per_s")
    values = (*(each[name] for name in names), *each["busy_late"], each["idle_late"][0])
    sizes = (each["own_mb"], each["disk_mb"])
    return (f"{each['points']:,}", *(number(value) for value in (*values, *sizes)))


def _goals(each: Mapping[str, Any]) -> Iterator[Goal]:
    if each["points"] == _JUDGED:
        whole = each["whole_to_direct"]
        yield Goal(f"{_JUDGED:,} points: search / the engine's call, median", whole, _TO_ENGINE)
        yield Goal(f"{_JUDGED:,} points: search p99, ms", each["whole"][1], _P99_MS)
        yield Goal(f"{_JUDGED:,} points: beat late beside 16 queries, p99 ms", each["busy_late"][0], _BEAT_MS)
