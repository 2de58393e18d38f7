"""What we want of our saver beside the others, and whether it is so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from benchmarks.checkpoints.figures import LONG, Figures

FULL = 1000
LINEAR = FULL / LONG
_NEARLY = 1.1
"""Growth within a tenth of linear is linear."""
_LIST_MS = 100.0


class Goal(NamedTuple):
    text: str
    value: float
    limit: float
    at_least: bool = False
    """Whether the limit is the least or the most that the value may be."""

    @property
    def met(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def goals(figures: Mapping[str, Figures]) -> Iterator[Goal]:
    """Those that can be judged by the savers that were measured."""
    if ours := figures.get("ours"):
        yield from _alone(ours)
        if postgres := figures.get("postgres"):
            yield from _beside_postgres(ours, postgres)
        if valkey := figures.get("valkey"):
            yield from _beside_valkey(ours, valkey)


def _alone(ours: Figures) -> Iterator[Goal]:
    if FULL in ours.stored:
        text = f"bytes after {FULL:,} turns / after {LONG}, linear being {LINEAR:g}"
        yield Goal(text, ours.stored[FULL] / ours.stored[LONG], LINEAR * _NEARLY)
    yield Goal(f"list of {LONG * 3} checkpoints, ms", ours.ms["list", LONG].p50, _LIST_MS)


def _beside_postgres(ours: Figures, postgres: Figures) -> Iterator[Goal]:
    if LONG in postgres.stored:
        yield Goal(f"bytes after {LONG} turns / postgres", ours.stored[LONG] / postgres.stored[LONG], 1 / 20)
    mine, theirs = ours.ms["turn", LONG], postgres.ms["turn", LONG]
    yield Goal(f"put + put_writes a turn, p50, {LONG} turns / postgres", mine.p50 / theirs.p50, 1 / 3)
    yield Goal(f"put + put_writes a turn, p99, {LONG} turns / postgres", mine.p99 / theirs.p99, 1 / 3)
    yield Goal("turns/s, 50 threads / postgres", ours.turns_per_s / postgres.turns_per_s, 5, at_least=True)


def _beside_valkey(ours: Figures, valkey: Figures) -> Iterator[Goal]:
    mine, theirs = ours.ms["turn", LONG], valkey.ms["turn", LONG]
    yield Goal(f"put + put_writes a turn, p50, {LONG} turns / valkey", mine.p50 / theirs.p50, 1)
    yield Goal(f"put + put_writes a turn, p99, {LONG} turns / valkey", mine.p99 / theirs.p99, 1)
    yield Goal("turns/s, 50 threads / valkey", ours.turns_per_s / valkey.turns_per_s, 1.2, at_least=True)
