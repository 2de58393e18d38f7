"""What is measured of a saver."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

SHORT, LONG = 10, 200
"""Turns of the conversations whose operations are timed."""
Step = tuple[str, int]
"""`put`, `put_writes`, `get`, `list` (of all checkpoints) or `turn` (its puts and put_writes together), and
the turns that the conversation has."""


class Spread(NamedTuple):
    """Milliseconds."""

    p50: float
    p99: float


class Round(NamedTuple):
    ms: Mapping[Step, Spread]
    turns_per_s: float


class Figures(NamedTuple):
    stored: Mapping[int, int]
    """Bytes by turns; empty where there is nothing to ask."""
    ms: Mapping[Step, Spread]
    turns_per_s: float


def spread(ms: Sequence[float]) -> Spread:
    """Interpolated between the samples; of a single one, that."""
    if len(ms) == 1:
        return Spread(ms[0], ms[0])
    hundredths = statistics.quantiles(ms, n=100, method="inclusive")
    return Spread(hundredths[49], hundredths[98])


def best(stored: Mapping[int, int], rounds: Sequence[Round]) -> Figures:
    """Of each figure the best: what slows one round down is the machine."""
    ms = {
        step: Spread(min(r.ms[step].p50 for r in rounds), min(r.ms[step].p99 for r in rounds))
        for step in rounds[0].ms
    }
    return Figures(stored, ms, max(r.turns_per_s for r in rounds))
