"""The breaker's three states, with the time in the test's hand."""

from __future__ import annotations

import pytest

from runtime.errors import OcrUnavailable
from runtime.resilience import Breaker


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker("the thing", counted=(OSError,), error=OcrUnavailable, failures=3, rest_s=30, now=clock)


def fail(breaker: Breaker, times: int = 1, error: type[BaseException] = ConnectionError) -> None:
    for _ in range(times):
        with pytest.raises(error), breaker.call():
            raise error


def state(breaker: Breaker) -> str:
    """Read anew: mypy remembers a property's last value."""
    return breaker.state


def succeed(breaker: Breaker) -> None:
    with breaker.call():
        pass


def test_failures_in_a_row_open_it(breaker: Breaker) -> None:
    """What is down is not asked again by every call, and the caller learns its name and the wait."""
    fail(breaker, 3)
    assert state(breaker) == "open"
    with pytest.raises(OcrUnavailable, match="the thing") as caught, breaker.call():
        raise AssertionError("a refused call must not run")
    assert caught.value.details["retry_in_s"] == 30


def test_a_success_between_failures_keeps_it_closed(breaker: Breaker) -> None:
    """Now and then a failure is no outage."""
    for _ in range(4):
        fail(breaker, 2)
        succeed(breaker)
    assert state(breaker) == "closed"


def test_after_the_rest_one_success_closes_it(breaker: Breaker, clock: Clock) -> None:
    """What recovered is used again, with its failures forgotten."""
    fail(breaker, 3)
    clock.now += 30
    assert state(breaker) == "half-open"
    succeed(breaker)
    fail(breaker, 2)
    assert state(breaker) == "closed"


def test_after_the_rest_one_failure_opens_it_anew(breaker: Breaker, clock: Clock) -> None:
    """What is still down gets a whole rest again, not a third of the failures."""
    fail(breaker, 3)
    clock.now += 30
    fail(breaker)
    clock.now += 29
    assert state(breaker) == "open"


def test_half_open_it_lets_one_call_through_at_a_time(breaker: Breaker, clock: Clock) -> None:
    """What just comes back is not met by all who waited."""
    fail(breaker, 3)
    clock.now += 31
    with breaker.call():
        with pytest.raises(OcrUnavailable), breaker.call():
            raise AssertionError("the second call must wait for the first")
    succeed(breaker)


@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt])
def test_other_errors_count_as_nothing(breaker: Breaker, clock: Clock, error: type[BaseException]) -> None:
    """A bad request or a cancelled call says nothing of the other side, and never locks the trial."""
    fail(breaker, 5, error)
    assert state(breaker) == "closed"
    fail(breaker, 3)
    clock.now += 30
    fail(breaker, 1, error)
    assert state(breaker) == "half-open"
    succeed(breaker)


def test_calls_from_before_the_opening_change_nothing(breaker: Breaker) -> None:
    """A late answer does not close it, a late failure does not lengthen the rest."""
    with breaker.call():
        fail(breaker, 3)
    assert state(breaker) == "open"
