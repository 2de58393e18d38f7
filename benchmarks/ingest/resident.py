"""Resident memory of this process and of its parser processes, sampled while something runs."""

from __future__ import annotations

import ctypes
import gc
import os
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import anyio

from benchmarks.stream.processes import rss_bytes

_EVERY_S = 0.25
_WARM_UP = 0.2
"""Of the time; until then memory may grow: imports, pools, the allocator."""
_MB = 1e6
_CHILD = b"ingestion.parser_child"


class Sample(NamedTuple):
    at_s: float
    parent_mb: float
    own_mb: float
    """Of these, what is not mapped from files: the index's own are, and grow with what is in it."""
    children_mb: Sequence[float]
    """Of each parser process."""


class Trend(NamedTuple):
    """Of the parent; megabytes of 10**6 bytes."""

    peak: float
    end: float
    own_end: float
    """Without what is mapped from files."""
    own_warm: float
    """Of that, the median of the tenth after warming up."""
    growth: float
    """The last tenth's median by that; nan with one sample."""
    slope_a_minute: float
    """Of that, by least squares, after warming up; nan likewise."""
    children_peak: float
    """All parser processes together."""
    child_peak: float
    """The largest of them."""


@asynccontextmanager
async def sampled() -> AsyncIterator[list[Sample]]:
    """The list grows until the block ends."""
    samples: list[Sample] = []

    async def sample() -> None:
        while True:
            samples.append(_sample())
            await anyio.sleep(_EVERY_S)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sample)
        yield samples
        tasks.cancel_scope.cancel()


def trend(samples: Sequence[Sample]) -> Trend:
    """At least one sample."""
    after = samples[0].at_s + _WARM_UP * (samples[-1].at_s - samples[0].at_s)
    warm = [sample for sample in samples if sample.at_s >= after]
    own_warm, growth, slope = samples[-1].own_mb, float("nan"), float("nan")
    if len(warm) > 1:
        sizes = [sample.own_mb for sample in warm]
        tenth = max(1, len(sizes) // 10)
        own_warm = statistics.median(sizes[:tenth])
        growth = statistics.median(sizes[-tenth:]) / own_warm
        slope = statistics.linear_regression([sample.at_s / 60 for sample in warm], sizes).slope
    return Trend(
        peak=max(sample.parent_mb for sample in samples),
        end=samples[-1].parent_mb,
        own_end=samples[-1].own_mb,
        own_warm=own_warm,
        growth=growth,
        slope_a_minute=slope,
        children_peak=max(sum(sample.children_mb) for sample in samples),
        child_peak=max((size for sample in samples for size in sample.children_mb), default=0),
    )


def at_rest() -> float:
    """Megabytes of this process's own, once it has given back what it can."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # glibc's, which keeps what was freed
    return _own_mb()


def _sample() -> Sample:
    pid = os.getpid()
    parsers = [size / _MB for size in _parsers(pid)]
    return Sample(time.monotonic(), rss_bytes(pid) / _MB, _own_mb(), parsers)


def _own_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("RssAnon:")[2].split()[0]) * 1024 / _MB


def _parsers(parent: int) -> list[int]:
    sizes = []
    for task in Path(f"/proc/{parent}/task").iterdir():
        for child in (task / "children").read_text().split():
            try:
                if _CHILD in Path(f"/proc/{child}/cmdline").read_bytes():
                    sizes.append(rss_bytes(int(child)))
            except (OSError, IndexError):  # it has ended
                continue
    return sizes
