"""Runs: start, claim, settle and cancel against a real Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from runtime.errors import NotFound, PermissionDenied, StaleFence, ThreadBusy
from runtime.events import EventLog
from runtime.redis import connect
from runtime.runs import Runs, lifecycle_event
from runtime.threads import Threads
from tests.place import ANA, BO

pytestmark = pytest.mark.anyio

T = "acme/t1"


@pytest.fixture
async def runs(redis_url: str) -> AsyncIterator[Runs]:
    async with connect(redis_url) as client:
        yield Runs(client, EventLog(client, 1000))


@pytest.fixture
async def threads(redis_url: str) -> AsyncIterator[Threads]:
    async with connect(redis_url) as client:
        yield Threads(client)


async def test_a_run_is_claimed_executed_and_settled(runs: Runs, threads: Threads) -> None:
    """The record tells what happened, and the thread is free again."""
    started = await runs.start(T, ANA, "g", {"n": "值"}, metadata={"source": "test"})
    claim = await runs.claim(T, started.run_id, "w1")
    assert claim is not None and (claim.fence, claim.number, claim.run.payload) == (1, 1, {"n": "值"})
    assert claim.run.user == ANA and claim.run.metadata == {"source": "test"}
    assert await runs.settle(claim, "success", [lifecycle_event(started.run_id, "completed", "g")]) == ""
    run = await runs.find(T, started.run_id)
    assert (run.status, run.worker, run.attempts) == ("success", "w1", 1)
    assert run.created <= run.started <= run.ended
    row = await threads.get(ANA, "t1")
    assert (row.status, row.active, row.owner) == ("idle", "", "ana")


async def test_a_second_claim_makes_the_first_stale(runs: Runs) -> None:
    """The queue may deliver twice; only the last claim can settle."""
    started = await runs.start(T, ANA, "g", None)
    elder = await runs.claim(T, started.run_id, "w1")
    younger = await runs.claim(T, started.run_id, "w2")
    assert elder and younger and younger.number == 2
    with pytest.raises(StaleFence):
        await runs.settle(elder, "success", [])
    assert (await runs.find(T, started.run_id)).status == "running"
    await runs.settle(younger, "success", [])


async def test_a_settled_run_is_not_claimed_again(runs: Runs) -> None:
    """A late delivery finds nothing to do."""
    started = await runs.start(T, ANA, "g", None)
    claim = await runs.claim(T, started.run_id, "w1")
    assert claim
    await runs.settle(claim, "success", [])
    assert await runs.claim(T, started.run_id, "w2") is None


async def test_settling_twice_changes_nothing(runs: Runs) -> None:
    """The reply of the first may have been lost."""
    started = await runs.start(T, ANA, "g", None)
    claim = await runs.claim(T, started.run_id, "w1")
    assert claim
    event = lifecycle_event(started.run_id, "completed", "g")
    await runs.settle(claim, "success", [event])
    assert await runs.settle(claim, "error", [event]) == ""
    assert (await runs.find(T, started.run_id)).status == "success"


async def test_runs_of_a_thread_wait_for_each_other(runs: Runs) -> None:
    """One at a time, in the order in which they were started."""
    first = await runs.start(T, ANA, "g", None)
    second = await runs.start(T, ANA, "g", None)
    third = await runs.start(T, ANA, "g", None)
    assert second.active == third.active == first.run_id
    assert await runs.claim(T, second.run_id, "w1") is None
    claim = await runs.claim(T, first.run_id, "w1")
    assert claim
    assert await runs.settle(claim, "success", []) == second.run_id
    claim = await runs.claim(T, second.run_id, "w1")
    assert claim
    assert await runs.settle(claim, "error", []) == third.run_id


async def test_reject_leaves_the_active_run_alone(runs: Runs) -> None:
    """The error names the run in the way."""
    first = await runs.start(T, ANA, "g", None)
    with pytest.raises(ThreadBusy) as caught:
        await runs.start(T, ANA, "g", None, strategy="reject")
    assert caught.value.details == {"run_id": first.run_id}
    assert await runs.active(T) == first.run_id


async def test_interrupt_takes_the_place_of_a_waiting_run(runs: Runs) -> None:
    """The earlier run never began, so it is settled at once."""
    first = await runs.start(T, ANA, "g", None)
    second = await runs.start(T, ANA, "g", None, strategy="interrupt")
    assert second.active == second.run_id == await runs.active(T)
    assert (await runs.find(T, first.run_id)).status == "interrupted"


async def test_another_users_thread_is_refused(runs: Runs) -> None:
    """Knowing a thread's id is not enough."""
    await runs.start(T, ANA, "g", None)
    with pytest.raises(PermissionDenied):
        await runs.start(T, BO, "g", None)


async def test_cancelling_a_waiting_run_leaves_the_running_one(runs: Runs) -> None:
    """And the cancelled one gets its terminal event."""
    first = await runs.start(T, ANA, "g", None)
    second = await runs.start(T, ANA, "g", None)
    assert await runs.cancel(T, second.run_id) == (True, first.run_id)
    assert (await runs.find(T, second.run_id)).status == "interrupted"
    claim = await runs.claim(T, first.run_id, "w1")
    assert claim
    assert await runs.settle(claim, "success", []) == ""


async def test_a_claim_that_races_a_cancel_loses(runs: Runs, threads: Threads) -> None:
    """A run that was settled as cancelled is never executed."""
    started = await runs.start(T, ANA, "g", None)
    assert (await runs.cancel(T, started.run_id))[0]
    assert await runs.claim(T, started.run_id, "w1") is None
    assert (await threads.get(ANA, "t1")).status == "idle"


async def test_cancelling_twice_or_too_late_says_so(runs: Runs) -> None:
    """Nothing is cancelled that is over."""
    started = await runs.start(T, ANA, "g", None)
    assert (await runs.cancel(T, started.run_id))[0]
    assert not (await runs.cancel(T, started.run_id))[0]
    with pytest.raises(NotFound):
        await runs.cancel(T, "nonsense")


async def test_a_running_run_is_told_to_stop(runs: Runs) -> None:
    """The mark stays, for a worker that misses the signal."""
    started = await runs.start(T, ANA, "g", None)
    await runs.claim(T, started.run_id, "w1")
    assert await runs.cancel(T, started.run_id) == (True, started.run_id)
    assert await runs.cancel_requested(T, started.run_id)
    assert (await runs.find(T, started.run_id)).status == "running"


async def test_threads_are_listed_for_those_who_may_see_them(runs: Runs, threads: Threads) -> None:
    """A rep sees its own, a manager all, another tenant none."""
    from runtime.context import User

    for user, thread in ((ANA, "t1"), (BO, "t2"), (ANA, "t3")):
        await runs.start(f"acme/{thread}", user, "g", None)
        await threads.touch(user, thread, "g")
    assert [r.thread_id for r in await threads.newest(ANA, 10)] == ["t3", "t1"]
    assert len(await threads.newest(User("acme", "meg", frozenset({"manager"})), 10)) == 3
    assert await threads.newest(User("other", "ana", frozenset({"admin"})), 10) == []
    with pytest.raises(PermissionDenied):
        await threads.get(BO, "t1")
