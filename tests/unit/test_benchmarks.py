"""What the benchmarks say of their figures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from benchmarks.checkpoints.figures import LONG, Figures, Round, Spread, best, spread
from benchmarks.checkpoints.goals import FULL, Goal, goals
from benchmarks.checkpoints.workload import CHECKPOINTS_A_TURN, MESSAGES_A_TURN, Put, record
from benchmarks.soak.leaks import Leaks
from benchmarks.soak.samples import Sample
from benchmarks.soak.sessions import Played, Record
from benchmarks.soak.verdict import slope_mib_an_hour, verdict
from benchmarks.stream.figures import Load, Turn
from benchmarks.stream.goals import goals as stream_goals

LOCK = Path(__file__).parents[2] / "benchmarks" / "checkpoints" / "requirements.lock"


def figures(stored: int, ms: float, turns_per_s: float) -> Figures:
    spreads = {(name, LONG): Spread(ms, ms) for name in ("turn", "list")}
    return Figures({LONG: stored, FULL: stored * 5}, spreads, turns_per_s)


@pytest.mark.parametrize(
    ("value", "at_least", "met"), [(1, False, True), (2, False, False), (1, True, True), (0, True, False)]
)
def test_a_limit_is_the_most_or_the_least(value: float, at_least: bool, met: bool) -> None:
    """A goal that is read the wrong way round would praise the slower saver."""
    assert Goal("", value, 1, at_least).met is met


def test_goals_are_ratios_to_the_saver_they_name() -> None:
    """Ours above the other, for bytes and times; throughput likewise, where more is better."""
    found = goals(
        {"ours": figures(10, 2, 300), "postgres": figures(400, 8, 50), "valkey": figures(900, 4, 200)}
    )
    assert [goal.value for goal in found] == [5, 2, 10 / 400, 1 / 4, 1 / 4, 6, 1 / 2, 1 / 2, 1.5]


def test_a_saver_that_was_left_out_meets_and_misses_nothing() -> None:
    """Without its server there is nothing to compare with."""
    assert len(list(goals({"ours": figures(10, 2, 300)}))) == 2
    assert list(goals({"postgres": figures(400, 8, 50)})) == []


def test_the_best_round_is_chosen_for_each_figure() -> None:
    """The least time, the most turns; a round is not taken as a whole."""
    rounds = [Round({("get", 10): Spread(1, 9)}, 50), Round({("get", 10): Spread(2, 5)}, 70)]
    assert best({}, rounds) == Figures({}, {("get", 10): Spread(1, 5)}, 70)


def test_a_spread_is_of_the_samples() -> None:
    """The 99th hundredth is near the slowest, and one sample is its own spread."""
    assert spread([float(n) for n in range(101)]) == Spread(50, 99)
    assert spread([7.0]) == Spread(7, 7)


@pytest.mark.anyio
async def test_the_recorded_calls_are_those_of_a_chat() -> None:
    """Three checkpoints a turn, two tasks' writes, a history that grows by some 1,500 bytes."""
    saver = InMemorySaver()
    turns = await record(saver, 20)
    puts = [[call for call in turn if isinstance(call, Put)] for turn in turns]
    assert {(len(turn), len(made)) for turn, made in zip(turns, puts, strict=True)} == {
        (CHECKPOINTS_A_TURN + 2, CHECKPOINTS_A_TURN)
    }
    history = puts[-1][-1].checkpoint["channel_values"]["messages"]
    assert len(history) == 20 * MESSAGES_A_TURN
    assert 1400 < len(saver.serde.dumps_typed(history)[1]) / 20 < 1600


def test_the_peers_are_locked_without_an_index() -> None:
    """As the project's own lock: it holds for whoever installs, from whatever index."""
    lock = LOCK.read_text()
    assert "--hash=sha256:" in lock
    assert "://" not in lock and "--index-url" not in lock


def load(clients: int, tokens_per_s: float, **cpu_s: float) -> Load:
    return Load(clients, [Turn(9, 30, round(tokens_per_s), 100)], 1.0, 0.0, cpu_s)


def test_the_stream_is_judged_where_it_can_be() -> None:
    """The peer at as many clients as ours; the server's CPU only where it does not run the graph too."""
    loads = {
        "inline": [load(1, 7_000, server=1.0), load(50, 4_000, server=1.0)],
        "split": [load(50, 8_000, server=0.005, worker=1.0)],
        "peer": [load(10, 1), load(50, 1_500)],
    }
    judged = {goal.text: (goal.value, goal.met) for goal in stream_goals(loads, None)}
    assert judged == {
        "inline, 1 client: first token, median ms": (9, True),
        "inline, 1 client: tokens/s": (7_000, True),
        "inline, 50 clients: tokens/s / the peer's": (pytest.approx(2.67, abs=0.01), False),
        "split, 50 clients: server CPU µs an event": (pytest.approx(50), True),
        "split, 50 clients: tokens/s / the peer's": (pytest.approx(5.33, abs=0.01), True),
    }


def sample(minute: int, rss_mib: float) -> Sample:
    return Sample(minute * 60, rss_mib, 6.0, 50, 35, 1_900, 50, 480, Spread(40, 300))


def test_memory_that_grows_and_keys_that_stay_are_found() -> None:
    """After warming up; a leak of a few MiB an hour must not pass for flat."""
    record = Record(played=[Played(minute * 60, 40) for minute in range(30) for _ in range(4)])
    nothing = Leaks([], [], [], {})
    flat = [sample(minute, 100 if minute < 3 else 150) for minute in range(30)]
    assert all(goal.met for goal in verdict(flat, record, nothing))
    growing = [sample(minute, 150 + minute) for minute in range(30)]
    left = Leaks(["{t/1}:events"], ["saq:job:runs:1"], [], {})
    missed = [goal.text for goal in verdict(growing, record, left) if not goal.met]
    assert missed == [
        "server's memory at the end / after warming up",
        "keys of threads that do not live",
        "keys of jobs, though nothing runs",
    ]
    assert slope_mib_an_hour(growing) == pytest.approx(60)


def test_the_streams_lock_has_the_versions_of_ours() -> None:
    """Else the figures would compare two releases of LangGraph."""
    root = LOCK.parents[2]
    ours, theirs = (
        dict(line.split()[0].split("==") for line in lock.read_text().splitlines() if re.match(r"\w", line))
        for lock in (root / "requirements.lock", root / "benchmarks" / "stream" / "requirements.lock")
    )
    for name in ("langgraph", "langgraph-sdk", "langchain-core", "langgraph-checkpoint"):
        assert theirs[name] == ours[name]
