"""What the benchmark of the checkpointers says of its figures."""

from __future__ import annotations

from pathlib import Path

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from benchmarks.checkpoints.figures import LONG, Figures, Round, Spread, best, spread
from benchmarks.checkpoints.goals import FULL, Goal, goals
from benchmarks.checkpoints.workload import CHECKPOINTS_A_TURN, MESSAGES_A_TURN, Put, record

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
