"""The figures of one run as a table, a column for each saver, and the goals below it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version

from rich.console import Console
from rich.table import Table

from benchmarks.checkpoints.figures import LONG, SHORT, Figures
from benchmarks.checkpoints.goals import Goal
from benchmarks.checkpoints.workload import CHECKPOINTS_A_TURN

_WIDTH = 128
_PACKAGES = (
    *("langgraph", "langgraph-checkpoint", "redis", "langgraph-checkpoint-aws", "valkey"),
    *("langgraph-checkpoint-postgres", "psycopg", "langgraph-checkpoint-sqlite"),
)
_NOTES = """\
Times in ms: p50 / p99, of each the best round. (n: size) = the time was up after n turns.
Stored: Redis, the sum of MEMORY USAGE SAMPLES 0 over all keys; PostgreSQL, pg_total_relation_size of the
four tables after VACUUM and CHECKPOINT; sqlite, the file after its WAL was checkpointed.
Redis: append-only file, synced every second, for both savers on one server. postgres: synced at each
commit; relaxed: synchronous_commit=off.
turns/s is with one saver. AsyncPostgresSaver lets one call in at a time, whatever its pool, so that a
process with several of them does better than this."""


def show(figures: Mapping[str, Figures], missing: Mapping[str, str], sizes: Sequence[int]) -> None:
    """`missing`: savers that were left out, with the reason."""
    table = Table(width=_WIDTH)
    table.add_column(no_wrap=True)
    for name in figures:
        table.add_column(name, justify="right")
    for label, cells in _rows(list(figures.values()), sizes):
        table.add_row(label, *cells)
    console = Console(width=_WIDTH, highlight=False)
    console.print(table)
    for name, reason in missing.items():
        console.print(f"Left out: {' '.join(name.split())}: {reason}")
    console.print(_NOTES)
    console.print(", ".join(f"{package} {version(package)}" for package in _PACKAGES))


def show_goals(goals: Iterable[Goal]) -> None:
    table = Table("goal", "wanted", "is", "", width=_WIDTH)
    for goal in goals:
        sign = "≥" if goal.at_least else "≤"
        verdict = "met" if goal.met else "missed"
        table.add_row(goal.text, f"{sign} {goal.limit:.3g}", f"{goal.value:.3g}", verdict)
    Console(width=_WIDTH).print(table)


def _rows(figures: Sequence[Figures], sizes: Sequence[int]) -> Iterable[tuple[str, list[str]]]:
    for turns in sizes:
        yield f"stored after {turns:,} turns", [_stored(f, turns, sizes[-1]) for f in figures]
    for operation in ("put", "put_writes", "get"):
        for turns in (SHORT, LONG):
            yield f"{operation}, {turns} turns", [_ms(f, operation, turns) for f in figures]
    for turns in (SHORT, LONG):
        yield f"list of {turns * CHECKPOINTS_A_TURN} checkpoints", [_ms(f, "list", turns) for f in figures]
    yield f"put + put_writes a turn, {LONG} turns", [_ms(f, "turn", LONG) for f in figures]
    yield "turns/s, 50 threads", [f"{f.turns_per_s:,.0f}" for f in figures]


def _ms(figures: Figures, operation: str, turns: int) -> str:
    p50, p99 = figures.ms[operation, turns]
    return f"{p50:.2f} / {p99:.2f}" if p99 < 1000 else f"{p50:,.0f} / {p99:,.0f}"


def _stored(figures: Figures, turns: int, longest: int) -> str:
    if turns in figures.stored:
        return _bytes(figures.stored[turns])
    reached = max(figures.stored, default=0)
    return f"({reached}: {_bytes(figures.stored[reached])})" if reached and turns == longest else "–"


def _bytes(count: int) -> str:
    return f"{count / 1e6:,.2f} MB" if count >= 1e6 else f"{count / 1e3:,.0f} kB"
