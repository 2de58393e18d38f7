"""Cancel: whatever it races with, the run settles once, truthfully, and the thread is free."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import httpx
import pytest

from runtime.errors import NotFound
from tests.place import ANA, Place, open_place
from tests.proofs.cancel import RACES, Cancelled, cancel, judge, open_stage, play_round, speaking
from tests.proofs.graphs import Working, build_modes
from tests.proofs.processes import CONFIG
from tests.proofs.reader import start
from tests.proofs.settled import latest_checkpoint
from tests.server_process import serving

pytestmark = pytest.mark.anyio

ROUNDS = 2 * len(RACES)


@pytest.fixture
async def place(redis_url: str) -> AsyncIterator[Place]:
    Working.count = 0
    async with open_place(redis_url, build_modes) as place:
        yield place


async def working() -> None:
    with anyio.fail_after(20):
        while not Working.count:
            await anyio.sleep(0.002)


async def test_eight_races(redis_url: str, tmp_path: Path) -> None:
    """Some rounds of `python -m tests.proofs.cancel`."""
    faults = []
    async with open_stage(redis_url, tmp_path, seed=7) as stage:
        for number in range(ROUNDS):
            race, found = await play_round(stage, number)
            faults += [f"{race}: {fault}" for fault in found]
    assert faults == []


@pytest.mark.parametrize("mode", ["thread", "stubborn"])
async def test_it_settles_only_when_the_work_has_stopped(place: Place, mode: str) -> None:
    """Neither a thread nor a node that swallows the cancellation works on behind a settled run."""
    async with place.worker(), place.socket("t") as socket:
        run_id = await place.start("t", mode)
        await working()
        accepted = await cancel(place, "t", run_id)
        assert (await place.threads.get(ANA, "t")).status == "busy"
        await socket.until("failed")
        assert Working.count == 0
        assert await judge(Cancelled(place, "t", run_id, socket, accepted)) == []


async def test_what_does_not_stop_is_said_to_work_on(place: Place) -> None:
    """A run is not kept for ever by a thread that hangs: it settles after the grace, and says so."""
    async with place.worker(stop_grace_s=0.1), place.socket("t") as socket:
        run_id = await place.start("t", "thread")
        await working()
        await place.commands.cancel(ANA, "t", run_id)
        await socket.until("failed")
        assert Working.count == 1
    end = socket.data("lifecycle")[-1]
    assert end["settled"]["still_working"] is True
    assert (await place.runs.find("acme/t", run_id)).status == "interrupted"
    await anyio.to_thread.run_sync(_until_idle)


def _until_idle() -> None:
    while Working.count:
        time.sleep(0.01)


async def test_a_run_that_waits_for_an_answer_is_over(place: Place) -> None:
    """There is nothing to cancel, and the question stays open."""
    async with place.worker(), place.socket("t") as socket:
        run_id = await place.start("t", "ask")
        await socket.until("interrupted")
        with pytest.raises(NotFound):
            await place.commands.cancel(ANA, "t", run_id)
        assert (await place.threads.get(ANA, "t")).status == "interrupted"
        (asked,) = socket.data("input.requested")
        await place.commands.respond(ANA, "t", {"interrupt_id": asked["interrupt_id"], "response": "yes"})
        await socket.until("completed")


async def test_an_answer_that_was_cancelled_before_it_was_taken_can_be_given_again(place: Place) -> None:
    """The run that brings it never began: the question waits as before."""
    async with place.socket("t") as socket:
        async with place.worker():
            await place.start("t", "ask")
            await socket.until("interrupted")
        (asked,) = socket.data("input.requested")
        answer = {"interrupt_id": asked["interrupt_id"], "response": "no"}
        run_id = (await place.commands.respond(ANA, "t", answer)).run_id
        await place.commands.cancel(ANA, "t", run_id)
        assert (await place.threads.get(ANA, "t")).status == "interrupted"
        async with place.worker():
            await place.commands.respond(ANA, "t", {**answer, "response": "yes"})
            await socket.until("completed")
    assert socket.data("values")[-1]["done"][-1] == "asked yes"


@pytest.mark.parametrize("moment", ["pending", "running"])
async def test_rollback_leaves_nothing_of_the_run(place: Place, moment: str) -> None:
    """No record, no checkpoint: the thread is as it was before."""
    async with place.worker(), place.socket("t") as socket:
        await place.start("t", "brief")
        await socket.until("completed")
    before = await latest_checkpoint(place, "t")
    async with place.socket("t") as socket:
        run_id = await place.start("t", "stream")
        if moment == "pending":
            await place.commands.cancel(ANA, "t", run_id, "rollback")
        async with place.worker():
            if moment == "running":
                await speaking(socket)
                await place.commands.cancel(ANA, "t", run_id, "rollback")
            with anyio.fail_after(20):
                while (await place.threads.get(ANA, "t")).active:
                    await anyio.sleep(0.005)
            with pytest.raises(NotFound):
                await place.runs.find("acme/t", run_id)
            assert await latest_checkpoint(place, "t") == before
            assert (await place.threads.get(ANA, "t")).status == "idle"
            await place.start("t", "brief")
            await socket.until("completed")


async def test_over_rest(tmp_path: Path) -> None:
    """202 at once, 204 with wait=1 when the run has ended, 404 for what is over, 422 for another action."""
    async with (
        serving(tmp_path, CORNERMAN_CONFIG=str(CONFIG)) as (_, url),
        httpx.AsyncClient(timeout=20, trust_env=False) as http,
    ):
        run_id = await start([url], "t", "g", "stream")
        place = f"{url}/threads/t/runs/{run_id}/cancel"
        assert (await http.post(place, params={"action": "explode"})).status_code == 422
        assert (await http.post(place, params={"wait": 1})).status_code == 204
        assert (await http.get(f"{url}/threads/t/runs/{run_id}")).json()["status"] == "interrupted"
        assert (await http.get(f"{url}/threads/t")).json()["status"] == "idle"
        assert (await http.post(place)).status_code == 404
        run_id = await start([url], "t", "g", "stream")
        place = f"{url}/threads/t/runs/{run_id}/cancel"
        assert (await http.post(place)).status_code == 202
        # The run may have settled meanwhile, and then there is nothing left to undo.
        undone = (await http.post(place, params={"wait": 1, "action": "rollback"})).status_code
        assert undone in (204, 404)
        run_id = await start([url], "t", "g", "stream")
        place = f"{url}/threads/t/runs/{run_id}/cancel"
        assert (await http.post(place, params={"wait": 1, "action": "rollback"})).status_code == 204
        assert (await http.get(f"{url}/threads/t/runs/{run_id}")).status_code == 404
        run_id = await start([url], "t", "g", "brief")
        assert (await http.get(f"{url}/threads/t/runs/{run_id}/join")).status_code == 200
        assert (await http.get(f"{url}/threads/t")).json()["status"] == "idle"
