"""The figures of one run as tables."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version

from rich.console import Console
from rich.table import Table

from benchmarks.checkpoints.figures import Spread
from benchmarks.checkpoints.goals import Goal
from benchmarks.stream.client import TOKENS
from benchmarks.stream.figures import Idle, Load
from benchmarks.stream.load import CLIENT_PROCESSES

_WIDTH = 150
_PACKAGES = ("langgraph", "langgraph-sdk", "langchain-core", "websockets", "uvicorn", "starlette", "redis")
_NOTES = f"""\
A turn has {TOKENS} tokens without pauses, on a thread of its own, through langgraph_sdk: run.start over HTTP,
events over WebSocket (two sockets: its own and the SDK's watcher). Times in ms, p50 / p99, from before the
client opens the thread. tokens/s: all tokens by the whole time, closing the sockets included. CPU: user and
system time of all processes of a role; an event: one that reached a client on its data socket. Clients beyond
one are spread over {CLIENT_PROCESSES} processes, which share the machine."""


def show_path(table: Table, name: str, load: Load) -> None:
    """Adds the path's row."""
    table.add_row(
        name,
        str(load.clients),
        str(len(load.turns)),
        _ms(load.first_token_ms),
        _ms(load.turn_ms),
        f"{load.tokens_per_s:,.0f}",
        *(_cpu(load.cpu_ms(role)) for role in ("server", "worker", "redis")),
        _cpu(load.client_cpu_ms),
        *(_cpu(load.cpu_us_an_event(role)) for role in ("server", "worker")),
    )


def new_table() -> Table:
    table = Table(width=_WIDTH)
    table.add_column("path", no_wrap=True)
    for column in (
        *("clients", "turns", "first token\nms", "turn\nms", "tokens/s"),
        *("CPU ms\na turn:\nserver", "\n\nworker", "\n\nRedis", "\n\nclient"),
        *("CPU µs\nan event:\nserver", "\n\nworker"),
    ):
        table.add_column(column, justify="right", no_wrap=True)
    return table


def show(table: Table, idle: Idle | None, left_out: Iterable[str], goals: Iterable[Goal]) -> None:
    console = Console(width=_WIDTH, highlight=False)
    if table.rows:
        console.print(table)
        console.print(_NOTES)
    for reason in left_out:
        console.print(f"Left out: {reason}")
    if idle:
        console.print(_idle_text(idle))
    console.print(", ".join(f"{package} {version(package)}" for package in _PACKAGES))
    show_goals(goals)


def show_goals(goals: Iterable[Goal]) -> None:
    """As a table; nothing when there are none."""
    judged = Table("goal", "wanted", "is", "", width=_WIDTH)
    for goal in goals:
        sign, verdict = "≥" if goal.at_least else "≤", "met" if goal.met else "missed"
        judged.add_row(goal.text, f"{sign} {_number(goal.limit)}", _number(goal.value), verdict)
    if judged.rows:
        Console(width=_WIDTH, highlight=False).print(judged)


def _idle_text(idle: Idle) -> str:
    return (
        f"{idle.sockets:,} idle sockets: {idle.kib_a_socket:.1f} KiB each; with nothing else to do the server"
        f" takes {idle.cpu_percent:.0f} % of a core, Redis {idle.redis_cpu_percent:.0f} %. One client beside"
        f" them / without: turn x {idle.turn_ratio:.2f}, first token x {idle.first_token_ratio:.2f}"
    )


def _ms(ms: Spread) -> str:
    return f"{ms.p50:,.0f} / {ms.p99:,.0f}"


def _cpu(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
