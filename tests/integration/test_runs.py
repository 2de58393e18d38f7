"""Runs: start, claim, settle and cancel against a real Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import anyio
import pytest
from redis.asyncio import Redis

from runtime.checkpoints import RedisSaver
from runtime.context import User
from runtime.errors import (
    IdempotencyConflict,
    InvalidInput,
    NotFound,
    PermissionDenied,
    RunCancelled,
    StaleFence,
    ThreadBusy,
)
from runtime.events import EventLog
from runtime.forgetting import FORGET
from runtime.queue import RunQueue
from runtime.redis import connect
from runtime.run_events import lifecycle_event
from runtime.run_record import Claim, RunRequest
from runtime.runs import Runs
from runtime.thread_removal import ThreadRemoval
from runtime.threads import Threads
from tests.place import ANA, BO

pytestmark = pytest.mark.anyio

T = "acme/t1"


GO = RunRequest(payload=None, graph="g")


@dataclass
class Counted:
    """Commands that went out by themselves, each a round trip."""

    commands: int = 0


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    counted = Counted()
    execute: Any = Redis.execute_command

    async def count(client: Redis, *args: Any, **options: Any) -> Any:
        counted.commands += 1
        return await execute(client, *args, **options)

    monkeypatch.setattr(Redis, "execute_command", count)
    return counted


@pytest.fixture
async def runs(redis_url: str) -> AsyncIterator[Runs]:
    async with connect(redis_url) as client:
        yield Runs(client, EventLog(client, 1000, 3600), RunQueue(client, 1))


@pytest.fixture
async def threads(redis_url: str) -> AsyncIterator[Threads]:
    async with connect(redis_url) as client:
        yield Threads(client)


async def active(threads: Threads) -> str:
    return (await threads.get(ANA, "t1")).active


async def claimed(runs: Runs, run_id: str, worker: str = "w1") -> Claim:
    claim = await runs.claim(T, run_id, worker)
    assert claim is not None
    return claim


async def test_a_run_is_claimed_executed_and_settled(runs: Runs, threads: Threads) -> None:
    """The record tells what happened, and the thread is free again."""
    request = RunRequest(payload={"n": "值"}, graph="g", metadata={"source": "test"})
    started = await runs.start(T, ANA, request)
    claim = await claimed(runs, started.run_id)
    assert (claim.fence, claim.number, claim.request) == (1, 1, request)
    assert claim.run.user == ANA
    completed = lifecycle_event(started.run_id, "completed", "g")
    await runs.settle(claim, "success", [completed], usage={"m": {"total_tokens": 7}})
    run = await runs.find(T, started.run_id)
    assert (run.status, run.worker, run.attempts) == ("success", "w1", 1)
    assert run.usage == {"m": {"total_tokens": 7}}
    assert run.created <= run.started <= run.ended
    row = await threads.get(ANA, "t1")
    assert (row.status, row.active, row.owner, row.graph) == ("idle", "", "ana", "g")


async def test_a_started_run_is_in_the_queue_at_once(runs: Runs, redis_url: str) -> None:
    """Recorded and handed over in one script: no process can die in between."""
    first = await runs.start(T, ANA, GO)
    second = await runs.start(T, ANA, GO)
    async with connect(redis_url) as client:
        queue = RunQueue(client, 1)
        job = await queue.job(first.run_id)
        assert job and job.kwargs == {"thread": T, "run_id": first.run_id} and job.status == "queued"
        assert await queue.count("queued") == 1
        await runs.settle(await claimed(runs, first.run_id), "success", [])
        assert await queue.count("queued") == 2
        assert await queue.job(second.run_id) is not None


async def test_a_second_claim_makes_the_first_stale(runs: Runs) -> None:
    """The queue may deliver twice; only the last claim can settle."""
    started = await runs.start(T, ANA, GO)
    elder, younger = await claimed(runs, started.run_id), await claimed(runs, started.run_id, "w2")
    assert younger.number == 2
    with pytest.raises(StaleFence):
        await runs.settle(elder, "success", [])
    assert (await runs.find(T, started.run_id)).status == "running"
    await runs.settle(younger, "success", [])


async def test_a_settled_run_is_not_claimed_again(runs: Runs) -> None:
    """A late delivery finds nothing to do."""
    started = await runs.start(T, ANA, GO)
    await runs.settle(await claimed(runs, started.run_id), "success", [])
    assert await runs.claim(T, started.run_id, "w2") is None


async def test_settling_twice_changes_nothing(runs: Runs) -> None:
    """The reply of the first may have been lost."""
    started = await runs.start(T, ANA, GO)
    claim = await claimed(runs, started.run_id)
    event = lifecycle_event(started.run_id, "completed", "g")
    await runs.settle(claim, "success", [event])
    await runs.settle(claim, "error", [event])
    assert (await runs.find(T, started.run_id)).status == "success"


async def test_runs_of_a_thread_wait_for_each_other(runs: Runs, threads: Threads) -> None:
    """One at a time, in the order in which they were started."""
    first, second, third = [(await runs.start(T, ANA, GO)).run_id for _ in range(3)]
    assert await active(threads) == first
    assert await runs.claim(T, second, "w1") is None
    await runs.settle(await claimed(runs, first), "success", [])
    assert await active(threads) == second
    await runs.settle(await claimed(runs, second), "error", [])
    assert await active(threads) == third


async def test_reject_leaves_the_active_run_alone(runs: Runs, threads: Threads) -> None:
    """The error names the run in the way."""
    first = await runs.start(T, ANA, GO)
    with pytest.raises(ThreadBusy) as caught:
        await runs.start(T, ANA, replace(GO, strategy="reject"))
    assert caught.value.details == {"run_id": first.run_id}
    assert await active(threads) == first.run_id


@pytest.mark.parametrize("strategy", ["interrupt", "rollback"])
async def test_a_newer_run_takes_the_place_of_those_that_never_began(
    runs: Runs, threads: Threads, strategy: Any
) -> None:
    """They are settled, or forgotten, at once; the newer one is the active one."""
    earlier = [(await runs.start(T, ANA, GO)).run_id for _ in range(3)]
    newer = await runs.start(T, ANA, replace(GO, strategy=strategy))
    assert await active(threads) == newer.run_id
    left = {run.run_id: run.status for run in await runs.newest(T, 10)}
    gone = {} if strategy == "rollback" else dict.fromkeys(earlier, "interrupted")
    assert left == {newer.run_id: "pending", **gone}


@pytest.mark.parametrize(("strategy", "mark"), [("interrupt", "replace"), ("rollback", "rollback")])
async def test_a_newer_run_stops_the_one_that_works(
    runs: Runs, threads: Threads, strategy: Any, mark: str
) -> None:
    """It is told in the same script, and the newer one is next, before all that waited."""
    first = await runs.start(T, ANA, GO)
    claim = await claimed(runs, first.run_id)
    waiting = await runs.start(T, ANA, GO)
    newer = await runs.start(T, ANA, replace(GO, strategy=strategy))
    assert await runs.told(claim) == mark
    assert waiting.run_id not in [run.run_id for run in await runs.newest(T, 10, status="pending")]
    await runs.settle(claim, "interrupted", [], RunCancelled(), forget=mark == "rollback")
    assert await active(threads) == newer.run_id


async def test_a_key_stands_for_one_run(runs: Runs) -> None:
    """A client that sends again what it does not know to have arrived starts nothing twice."""
    first = await runs.start(T, ANA, GO, idempotency_key="k")
    assert await runs.start(T, ANA, GO, idempotency_key="k") == first
    assert await runs.start(T, ANA, GO, idempotency_key="other") != first
    with pytest.raises(IdempotencyConflict):
        await runs.start(T, ANA, replace(GO, payload={"n": 1}), idempotency_key="k")
    assert len(await runs.newest(T, 10)) == 2


async def test_another_users_thread_is_refused(runs: Runs) -> None:
    """Knowing a thread's id is not enough."""
    await runs.start(T, ANA, GO)
    with pytest.raises(PermissionDenied):
        await runs.start(T, BO, GO)


async def test_cancelling_a_waiting_run_leaves_the_running_one(runs: Runs, threads: Threads) -> None:
    """And the cancelled one gets its terminal event."""
    first = await runs.start(T, ANA, GO)
    second = await runs.start(T, ANA, GO)
    assert await runs.cancel(T, second.run_id)
    assert (await runs.find(T, second.run_id)).status == "interrupted"
    await runs.settle(await claimed(runs, first.run_id), "success", [])
    assert await active(threads) == ""


async def test_a_claim_that_races_a_cancel_loses(runs: Runs, threads: Threads) -> None:
    """A run that was settled as cancelled is never executed."""
    started = await runs.start(T, ANA, GO)
    assert await runs.cancel(T, started.run_id)
    assert await runs.claim(T, started.run_id, "w1") is None
    assert (await threads.get(ANA, "t1")).status == "idle"


async def test_cancelling_twice_or_too_late_says_so(runs: Runs) -> None:
    """Nothing is cancelled that is over."""
    started = await runs.start(T, ANA, GO)
    assert await runs.cancel(T, started.run_id)
    assert not await runs.cancel(T, started.run_id)
    with pytest.raises(NotFound):
        await runs.cancel(T, "nonsense")


async def test_a_running_run_is_told_to_stop(runs: Runs) -> None:
    """The mark stays, for a worker that misses the signal; a rollback is not weakened by a second cancel."""
    started = await runs.start(T, ANA, GO)
    claim = await claimed(runs, started.run_id)
    assert await runs.cancel(T, started.run_id, "rollback")
    assert await runs.cancel(T, started.run_id)
    assert await runs.told(claim) == "rollback"
    assert (await runs.find(T, started.run_id)).status == "running"


async def test_threads_are_listed_for_those_who_may_see_them(runs: Runs, threads: Threads) -> None:
    """A rep sees its own, a manager all, another tenant none."""
    for user, thread in ((ANA, "t1"), (BO, "t2"), (ANA, "t3")):
        await runs.start(f"acme/{thread}", user, GO)

    async def listed(user: User) -> list[str]:
        return [row.thread_id async for row in threads.all(user)]

    assert await listed(ANA) == ["t3", "t1"]
    assert sorted(await listed(User("acme", "meg", frozenset({"manager"})))) == ["t1", "t2", "t3"]
    assert await listed(User("other", "ana", frozenset({"admin"}))) == []
    with pytest.raises(PermissionDenied):
        await threads.get(BO, "t1")


async def test_a_key_of_a_run_that_is_gone_starts_anew(runs: Runs) -> None:
    """A run that was undone or deleted has no outcome to give: its id would lead nowhere."""
    undone = await runs.start(T, ANA, GO, idempotency_key="k")
    await runs.cancel(T, undone.run_id, "rollback")
    deleted = await runs.start(T, ANA, GO, idempotency_key="k")
    await runs.cancel(T, deleted.run_id)
    await runs.delete(T, deleted.run_id)
    third = await runs.start(T, ANA, GO, idempotency_key="k")
    assert len({undone.run_id, deleted.run_id, third.run_id}) == 3


async def test_a_key_outlives_a_stateless_runs_thread(runs: Runs, redis_url: str) -> None:
    """The thread goes a minute after the run; a client that sends again later still starts nothing twice."""
    stateless = replace(GO, forget=True)
    first = await runs.start(T, ANA, stateless, idempotency_key="k")
    await runs.cancel(T, first.run_id)
    async with connect(redis_url) as client:
        await ThreadRemoval(client, RedisSaver(client)).remove(T)
    assert (await runs.start(T, ANA, stateless, idempotency_key="k")).run_id == first.run_id
    with pytest.raises(NotFound):
        await runs.find(T, first.run_id)


async def test_each_key_has_an_end_of_its_own(runs: Runs, redis_url: str) -> None:
    """A thread whose client sends a key with each message must not collect them for ever."""
    await runs.start(T, ANA, GO, idempotency_key="early")
    async with connect(redis_url) as client:
        (early,) = [key async for key in client.scan_iter("*:idempotency:*")]
        await client.pexpire(early, 1_000)
        await runs.start(T, ANA, GO, idempotency_key="late")
        assert 0 < await client.pttl(early) <= 1_000


async def test_a_stateless_run_that_never_began_is_forgotten_too(runs: Runs, redis_url: str) -> None:
    """No worker settles it, and nobody else would delete its thread."""
    started = await runs.start(T, ANA, replace(GO, forget=True))
    await runs.cancel(T, started.run_id)
    async with connect(redis_url) as client:
        job = await RunQueue(client, 1).job(f"forget:{T}")
    assert job and job.function == FORGET and job.kwargs == {"thread": T}


async def test_runs_are_listed_in_few_round_trips(runs: Runs, redis_url: str, counted: Counted) -> None:
    """Each run cost one; what is deleted while the list is read is left out of it."""
    ids = [(await runs.start(T, ANA, GO)).run_id for _ in range(30)]
    async with connect(redis_url) as client:
        await client.delete(f"{{{T}}}:run:{ids[5]}")
    before = counted.commands
    assert [run.run_id for run in await runs.newest(T, 100)] == [*ids[:5:-1], *ids[4::-1]]
    assert counted.commands - before == 1
    assert len(await runs.newest(T, 2, 3, "pending")) == 2
    assert await runs.newest(T, 10, status="success") == []


async def test_two_patches_lose_nothing(threads: Threads) -> None:
    """Two clients that add to the metadata at once, each a key of its own."""
    await threads.create(ANA, "t1", {"made": "here"})
    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(threads.patch, ANA, "t1", {str(number): number})
    assert (await threads.get(ANA, "t1")).metadata == {"made": "here", **{str(n): n for n in range(20)}}


async def test_metadata_that_cannot_be_kept_makes_no_thread(threads: Threads) -> None:
    """A thread that was half made would be in the way of the next try."""
    deep: dict[str, Any] = {}
    for _ in range(300):
        deep = {"a": deep}
    with pytest.raises(InvalidInput, match="metadata"):
        await threads.create(ANA, "t1", deep)
    assert await threads.find(ANA, "t1") is None


async def test_the_status_of_a_busy_thread_is_its_runs(runs: Runs, threads: Threads) -> None:
    """A change of the state that a run has overtaken must not show the thread as idle."""
    assert not await threads.set_status(ANA, "t1", "idle")
    assert await threads.find(ANA, "t1") is None
    started = await runs.start(T, ANA, GO)
    assert not await threads.set_status(ANA, "t1", "idle", {})
    assert (await threads.get(ANA, "t1")).status == "busy"
    await runs.cancel(T, started.run_id)
    assert await threads.set_status(ANA, "t1", "interrupted", {"i": []})
    row = await threads.get(ANA, "t1")
    assert (row.status, row.asked) == ("interrupted", {"i": []})


async def test_threads_in_use_are_listed_once_each(
    threads: Threads, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are used while the list is read change their places in it: none twice, none left out."""
    monkeypatch.setattr("runtime.thread_listing._PAGE", 5)
    async with connect(redis_url) as client:
        for number in range(40):
            await threads.create(ANA, f"t{number}")
            await client.zadd("tenant:acme:threads", {f"ana\x00t{number}": 1_000 + number // 3})
        seen = []
        async for row in threads.all(ANA):
            seen.append(row.thread_id)
            oldest = 40 - len(seen)
            await client.zadd("tenant:acme:threads", {f"ana\x00t{oldest}": 50_000 + len(seen)})
            await client.zadd("tenant:acme:threads", {f"ana\x00{row.thread_id}": 60_000 + len(seen)})
    assert sorted(seen) == sorted(f"t{number}" for number in range(40))


async def test_threads_of_one_millisecond_are_all_listed(
    threads: Threads, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many they are: a page of them does not end the list, nor is it read again and again."""
    monkeypatch.setattr("runtime.thread_listing._PAGE", 5)
    ids = [f"t{number:02}" for number in range(23)]
    for thread_id in ids:
        await threads.create(ANA, thread_id)
    async with connect(redis_url) as client:
        await client.zadd("tenant:acme:threads", {f"ana\x00{thread_id}": 1_000 for thread_id in ids[3:]})
    with anyio.fail_after(10):
        assert sorted([row.thread_id async for row in threads.all(ANA)]) == ids
