"""Is memory flat, is latency flat, and is nothing left behind?"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from benchmarks.checkpoints.goals import Goal
from benchmarks.soak.leaks import Leaks
from benchmarks.soak.samples import Sample, quarters
from benchmarks.soak.sessions import Record

_WARM_UP = 0.2
"""The part of the time in which memory may still grow: caches, pools, the allocator."""
_GROWTH = 1.05
_DRIFT = 1.10


def verdict(samples: Sequence[Sample], record: Record, leaks: Leaks) -> Iterator[Goal]:
    """What can be judged by what was seen."""
    yield Goal("turns and deletions that failed", record.failures.total(), 0)
    warm = [s for s in samples if s.at_s >= _after(samples, _WARM_UP)]
    if len(warm) > 1:
        yield Goal(
            "server's memory at the end / after warming up", _growth([s.rss_mib for s in warm]), _GROWTH
        )
        redis = _growth([s.redis_mib for s in warm])
        yield Goal("Redis's memory at the end / after warming up", redis, _GROWTH)
    if both := quarters(record.played, samples[0].at_s, samples[-1].at_s):
        yield Goal("turn, median, last quarter / first", both[1].p50 / both[0].p50, _DRIFT)
        yield Goal("turn, p99, last quarter / first", both[1].p99 / both[0].p99, _DRIFT)
    yield Goal("keys of threads that do not live", len(leaks.of_the_dead), 0)
    yield Goal("keys of no thread that name deleted ones", len(leaks.mentions), 0)
    yield Goal("keys of jobs, though nothing runs", len(leaks.jobs), 0)


def slope_mib_an_hour(samples: Sequence[Sample]) -> float:
    """Of the server's memory after warming up, by least squares; nan with fewer than two samples."""
    warm = [s for s in samples if s.at_s >= _after(samples, _WARM_UP)]
    if len(warm) < 2:
        return float("nan")
    return statistics.linear_regression([s.at_s / 3600 for s in warm], [s.rss_mib for s in warm]).slope


def _after(samples: Sequence[Sample], part: float) -> float:
    return samples[0].at_s + part * (samples[-1].at_s - samples[0].at_s)


def _growth(values: Sequence[float]) -> float:
    """The last tenth's median by the first tenth's: one sample may sit on a passing peak."""
    tenth = max(1, len(values) // 10)
    return statistics.median(values[-tenth:]) / statistics.median(values[:tenth])
