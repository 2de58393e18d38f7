"""Processes killed in the midst of runs: each run ends once, as if nothing had happened."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from saq.job import Job

from runtime.queue import RunQueue
from runtime.run_record import Claim
from tests.place import ANA, Place, open_place
from tests.proofs.crash import open_crash_proof, play_round
from tests.proofs.graphs import Working, build_modes

pytestmark = pytest.mark.anyio

RUNS = 10
ROUNDS = 3


@pytest.fixture
async def place(redis_url: str) -> AsyncIterator[Place]:
    Working.count = 0
    async with open_place(redis_url, build_modes) as place:
        yield place


async def test_a_killed_server_and_a_killed_worker_leave_no_trace(redis_url: str, tmp_path: Path) -> None:
    """A round of `python -m tests.proofs.crash` with two kills, and a heartbeat that is soon missed."""
    settings = {"CORNERMAN_HEARTBEAT_S": "2"}
    async with open_crash_proof(redis_url, tmp_path, 3, settings) as place:
        # On a busy machine the worker may be killed before it has taken a run, which proves nothing.
        for _ in range(ROUNDS):
            done = await play_round(place, RUNS, [place.servers[0], place.workers[0]])
            assert done.faults == []
            if done.takeover_s:
                return
    pytest.fail(f"no run was taken over in {ROUNDS} rounds")


async def lost(place: Place, thread: str) -> Job:
    """The job of a run whose worker has claimed it and is dead by now."""
    queue = RunQueue(place.waiting, 1)
    job = await queue.dequeue(5)
    assert job is not None and job.kwargs is not None
    assert await place.runs.claim(f"acme/{thread}", job.kwargs["run_id"], "w:dead")
    job.status, job.touched, job.started = "active", 1, 1  # type: ignore[assignment]  # as its JSON has it
    await place.client.set(job.id, str(queue.serialize(job)))
    return job


async def test_a_worker_that_ends_while_it_hands_a_run_on_loses_nothing(place: Place) -> None:
    """Whatever moment it is cut at: the run is before the workers, or still among those to be handed on."""
    async with place.socket("t") as socket:
        await place.start("t", "brief")
        job = await lost(place, "t")
        with anyio.move_on_after(0.2):
            await RunQueue(place.waiting, 1).sweep(lock=1)
        assert await place.client.zscore(RunQueue(place.waiting, 1).keys[0], job.id) is not None
        async with place.worker():
            await socket.until("completed")


async def test_a_worker_that_was_taken_for_dead_takes_no_run_out_of_the_queue(place: Place) -> None:
    """It wakes up and is refused; its successor dies; a third must still learn of the run."""
    async with place.worker("w:1"), place.socket("t") as socket:
        run_id = await place.start("t", "thread")
        with anyio.fail_after(20):
            while not Working.count:
                await anyio.sleep(0.002)
        # As if a sweep had handed the job to a worker that died at once.
        assert await place.runs.claim("acme/t", run_id, "w:dead")
        await socket.until("completed")
    assert (await place.runs.find("acme/t", run_id)).status == "success"
    assert (await place.threads.get(ANA, "t")).status == "idle"


async def test_a_breakpoint_holds_when_the_worker_is_lost_there(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The graph had stopped before the node; the successor says so, and does not go past it."""
    settle, failed = place.runs.settle, anyio.Event()

    async def settle_later(claim: Claim, *args: Any, **kwargs: Any) -> None:
        if not failed.is_set():
            failed.set()
            raise RedisConnectionError("lost")
        await settle(claim, *args, **kwargs)

    monkeypatch.setattr(place.runs, "settle", settle_later)
    async with place.worker(), place.socket("t") as socket:
        run_id = await place.start("t", "brief", interrupt_before=["brief"])
        with anyio.fail_after(20):
            while len(socket.lifecycle()) < 2:
                await anyio.sleep(0.005)
    assert socket.lifecycle() == ["running", "interrupted"]
    assert (await place.runs.find("acme/t", run_id)).attempts == 2
    state = await place.graphs["g"].aget_state({"configurable": {"thread_id": "acme/t"}})
    assert state.next == ("brief",)
