"""SIGTERM to a worker: what works comes to a checkpoint, and another goes on from there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import anyio
import pytest

from tests.place import Place, Received, open_place
from tests.proofs.graphs import MARCH, build_modes, effects_of, tries_of
from tests.proofs.processes import Member, open_members

pytestmark = pytest.mark.anyio

RUNS = 6
PATIENCE_S = "60"
"""A heartbeat too long to be missed here: what is handed on is handed on by the worker that ends."""


@pytest.fixture
async def place(redis_url: str) -> AsyncIterator[Place]:
    async with open_place(redis_url, build_modes) as place:
        yield place


async def march(place: Place, thread: str, pause_s: float) -> str:
    given = {"messages": [{"role": "user", "content": "march"}], "pause_s": pause_s}
    return await place.start(thread, input=given)


async def marching(place: Place, run_ids: list[str]) -> None:
    """Until each has begun its first step."""
    with anyio.fail_after(20):
        for run_id in run_ids:
            while not await tries_of(place.client, run_id):
                await anyio.sleep(0.01)


async def runs_of(place: Place, worker: Member, runs: dict[str, str]) -> set[str]:
    """Those of the runs, by thread, that this process has."""
    found = {run: (await place.runs.find(f"acme/{thread}", run)).worker for thread, run in runs.items()}
    return {run for run, name in found.items() if name.endswith(f":{worker.pid}")}


def resumed(socket: Received) -> list[str | None]:
    """The checkpoints from which the thread's runs went on with another worker."""
    return [d["checkpoint_id"] for d in socket.data("custom") if d.get("name") == "run.resumed"]


async def test_runs_go_on_from_a_checkpoint(place: Place, redis_url: str, tmp_path: Path) -> None:
    """No step is cut or done twice, no attempt is used up, and the worker that ends takes nothing new."""
    settings = {"CORNERMAN_HEARTBEAT_S": PATIENCE_S, "CORNERMAN_SHUTDOWN_GRACE_S": "10"}
    async with (
        open_members(redis_url, tmp_path, workers=2, settings=settings) as (_, workers),
        AsyncExitStack() as stack,
    ):
        threads = [f"t{number}" for number in range(RUNS)]
        sockets = {thread: await stack.enter_async_context(place.socket(thread)) for thread in threads}
        runs = {thread: await march(place, thread, 0.3) for thread in threads}
        await marching(place, list(runs.values()))
        # Either may have taken all of them.
        ending, staying = workers if await runs_of(place, workers[0], runs) else reversed(workers)
        handed_on = await runs_of(place, ending, runs)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_ends_well, ending)
            await anyio.sleep(0.1)
            late = {f"late{number}": await march(place, f"late{number}", 0) for number in range(RUNS)}
            for socket in sockets.values():
                await socket.until("completed")
        assert await runs_of(place, staying, {**runs, **late}) == {*runs.values(), *late.values()}
        for thread, run in runs.items():
            assert await tries_of(place.client, run) == dict.fromkeys(MARCH, 1)
            assert (await place.runs.find(f"acme/{thread}", run)).attempts == 1
            assert sockets[thread].lifecycle() == ["running", "completed"]
            checkpoints = {data["id"] for data in sockets[thread].data("checkpoints")}
            came = resumed(sockets[thread])
            assert len(came) == (run in handed_on) and set(came) <= checkpoints


async def test_a_step_longer_than_the_grace_is_cut_and_done_again(
    place: Place, redis_url: str, tmp_path: Path
) -> None:
    """The worker ends in time, and the step begins anew with another; its side effect has the same key."""
    settings = {"CORNERMAN_HEARTBEAT_S": PATIENCE_S, "CORNERMAN_SHUTDOWN_GRACE_S": "0.1"}
    async with (
        open_members(redis_url, tmp_path, workers=2, settings=settings) as (_, workers),
        place.socket("t") as socket,
    ):
        run_id = await march(place, "t", 0.8)
        await marching(place, [run_id])
        ending = workers[0] if await runs_of(place, workers[0], {"t": run_id}) else workers[1]
        await _ends_well(ending)
        await socket.until("completed")
        assert await tries_of(place.client, run_id) == {**dict.fromkeys(MARCH, 1), MARCH[0]: 2}
        assert await effects_of(place.client, run_id) == sorted(MARCH)
    assert (await place.runs.find("acme/t", run_id)).attempts == 1
    assert len(resumed(socket)) == 1 and None not in resumed(socket)


async def _ends_well(worker: Member) -> None:
    assert await worker.terminate() == 0
