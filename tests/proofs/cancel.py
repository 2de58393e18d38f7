"""Honest cancel: eight races, and what must hold after each.

`python -m tests.proofs.cancel --rounds 200` prints a table.
"""

from __future__ import annotations

import random
from argparse import ArgumentParser
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import anyio

from runtime.embedded_redis import embedded_redis
from runtime.errors import NotFound
from runtime.log import configure
from tests.place import ANA, Place, Received, open_place
from tests.proofs.graphs import build_modes
from tests.proofs.processes import Member, open_members
from tests.proofs.settled import faults_of

_WAIT_S = 40.0
_SOON = {"CORNERMAN_HEARTBEAT_S": "2"}


@dataclass
class Stage:
    here: Place
    """Works in this process, where a race opens a worker."""
    there: Place
    """Another database, whose runs two worker processes execute."""
    processes: Sequence[Member]
    random: random.Random


@dataclass(frozen=True)
class Cancelled:
    """What a race has left behind."""

    place: Place
    thread: str
    run_id: str
    socket: Received
    accepted: bool
    began: bool = True
    """Whether it must have begun; a run that never began has no checkpoint of its own."""
    may_succeed: bool = False


Race = Callable[[Stage, str], Awaitable[list[str]]]


@asynccontextmanager
async def open_stage(redis_url: str, folder: Path, seed: int) -> AsyncIterator[Stage]:
    """Two places on one Redis, and two worker processes."""
    async with (
        open_place(redis_url, build_modes) as here,
        open_place(f"{redis_url}?db=1", build_modes) as there,
        open_members(f"{redis_url}?db=1", folder, workers=2, settings=_SOON) as (_, processes),
    ):
        yield Stage(here, there, processes, random.Random(seed))


async def queued(stage: Stage, thread: str) -> list[str]:
    """It waits behind another run, which goes on."""
    async with stage.here.worker(), stage.here.socket(thread) as socket:
        first = await stage.here.start(thread, "stream")
        await speaking(socket)
        second = await stage.here.start(thread, "brief")
        accepted = await cancel(stage.here, thread, second)
        faults = await judge(Cancelled(stage.here, thread, second, socket, accepted, began=False), busy=first)
        accepted = await cancel(stage.here, thread, first)
        return faults + await judge(Cancelled(stage.here, thread, first, socket, accepted))


async def unclaimed(stage: Stage, thread: str) -> list[str]:
    """No worker is there to take it."""
    async with stage.here.socket(thread) as socket:
        run_id = await stage.here.start(thread, "stream")
        accepted = await cancel(stage.here, thread, run_id)
        async with stage.here.worker():
            return await judge(Cancelled(stage.here, thread, run_id, socket, accepted, began=False))


async def at_the_claim(stage: Stage, thread: str) -> list[str]:
    """A worker takes it at this moment."""
    async with stage.here.worker(), stage.here.socket(thread) as socket:
        run_id = await stage.here.start(thread, "stream")
        await anyio.sleep(stage.random.uniform(0, 0.006))
        accepted = await cancel(stage.here, thread, run_id)
        return await judge(Cancelled(stage.here, thread, run_id, socket, accepted, began=False))


async def running_here(stage: Stage, thread: str) -> list[str]:
    """Its worker works in the process that is asked."""
    async with stage.here.worker(), stage.here.socket(thread) as socket:
        run_id = await _speak(stage.here, thread, socket, stage.random)
        accepted = await cancel(stage.here, thread, run_id)
        return await judge(Cancelled(stage.here, thread, run_id, socket, accepted))


async def running_elsewhere(stage: Stage, thread: str) -> list[str]:
    """Its worker is another process."""
    async with stage.there.socket(thread) as socket:
        run_id = await _speak(stage.there, thread, socket, stage.random)
        accepted = await cancel(stage.there, thread, run_id)
        return await judge(Cancelled(stage.there, thread, run_id, socket, accepted))


async def twice_at_once(stage: Stage, thread: str) -> list[str]:
    """Both are accepted; a third, when it has settled, finds nothing."""
    said: list[bool] = []

    async def ask() -> None:
        said.append(await cancel(stage.here, thread, run_id))

    async with stage.here.worker(), stage.here.socket(thread) as socket:
        run_id = await _speak(stage.here, thread, socket, stage.random)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            tasks.start_soon(ask)
        faults = await judge(Cancelled(stage.here, thread, run_id, socket, any(said)))
        late = await cancel(stage.here, thread, run_id)
        return faults + (["a settled run was cancelled again"] if late else [])


async def at_the_end(stage: Stage, thread: str) -> list[str]:
    """It is about to end by itself."""
    async with stage.here.worker(), stage.here.socket(thread) as socket:
        run_id = await stage.here.start(thread, "brief")
        await anyio.sleep(stage.random.uniform(0.005, 0.05))
        accepted = await cancel(stage.here, thread, run_id)
        left = Cancelled(stage.here, thread, run_id, socket, accepted, began=False, may_succeed=True)
        return await judge(left)


async def with_a_killed_worker(stage: Stage, thread: str) -> list[str]:
    """Its worker was just killed; another takes it over to stop it."""
    async with stage.there.socket(thread) as socket, anyio.create_task_group() as tasks:
        run_id = await _speak(stage.there, thread, socket, stage.random)
        worker = (await stage.there.runs.find(f"acme/{thread}", run_id)).worker
        victim = next(p for p in stage.processes if worker.endswith(f":{p.pid}"))
        await victim.kill()
        tasks.start_soon(victim.start)
        accepted = await cancel(stage.there, thread, run_id)
        faults = await judge(Cancelled(stage.there, thread, run_id, socket, accepted))
    return faults


RACES: Sequence[Race] = (
    queued,
    unclaimed,
    at_the_claim,
    running_here,
    running_elsewhere,
    twice_at_once,
    at_the_end,
    with_a_killed_worker,
)


async def play_round(stage: Stage, number: int) -> tuple[str, list[str]]:
    """The race of that number on a thread of its own, and what was wrong afterwards."""
    race = RACES[number % len(RACES)]
    with anyio.fail_after(_WAIT_S * 2):
        return race.__name__, await race(stage, f"cancel-{uuid4()}")


async def cancel(place: Place, thread: str, run_id: str) -> bool:
    """Whether there was anything to cancel."""
    try:
        await place.commands.cancel(ANA, thread, run_id)
    except NotFound:
        return False
    return True


async def speaking(socket: Received) -> None:
    with anyio.fail_after(_WAIT_S):
        while not socket.text():
            await anyio.sleep(0.002)


async def judge(left: Cancelled, *, busy: str = "") -> list[str]:
    """What does not hold, after the run has settled; `busy` is a run that goes on beside it."""
    ended = await _ended(left)
    faults = await faults_of(left.place, left.thread, left.run_id, left.socket.frames, began=left.began)
    if ended == "completed" and not left.may_succeed:
        faults.append("it completed although it was cancelled")
    if not left.accepted and ended != "completed":
        faults.append("the cancel was refused, and yet it did not complete")
    row = await left.place.threads.get(ANA, left.thread)
    if row.active != busy or (not busy and row.status != "idle"):
        faults.append(f"the thread is {row.status!r}, at work on {row.active!r}")
    if not busy:
        faults += await _goes_on(left)
    return faults


async def _ended(left: Cancelled) -> str:
    """What ended it."""
    prefix = f"synth:{left.run_id}:lc||"
    with anyio.fail_after(_WAIT_S):
        while True:
            for frame in left.socket.frames:
                what = frame["event_id"].removeprefix(prefix)
                if what in ("completed", "failed", "interrupted"):
                    return str(what)
            await anyio.sleep(0.002)


async def _goes_on(left: Cancelled) -> list[str]:
    """The thread takes the next message, and nothing of the cancelled run comes any more."""
    before = len(left.socket.frames)
    run_id = await left.place.start(left.thread, "brief")
    with anyio.fail_after(_WAIT_S):
        while f"synth:{run_id}:lc||completed" not in [f["event_id"] for f in left.socket.frames]:
            await anyio.sleep(0.002)
    late = [f["event_id"] for f in left.socket.frames[before:] if left.run_id in f["event_id"]]
    return [f"events after its end: {late}"] if late else []


async def _speak(place: Place, thread: str, socket: Received, dice: random.Random) -> str:
    """A run that streams by now."""
    run_id = await place.start(thread, "stream")
    await speaking(socket)
    await anyio.sleep(dice.uniform(0, 0.05))
    return run_id


async def main(rounds: int, seed: int) -> None:
    played, wrong = Counter[str](), Counter[str]()
    with TemporaryDirectory() as folder:
        async with (
            embedded_redis(Path(folder) / "redis") as socket,
            open_stage(f"unix://{socket}", Path(folder), seed) as stage,
        ):
            for number in range(rounds):
                race, faults = await play_round(stage, number)
                played[race] += 1
                wrong[race] += bool(faults)
                for fault in faults:
                    print(f"round {number + 1}, {race}: {fault}", flush=True)
    print("| race | rounds | with faults |\n|---|---|---|")
    for race, count in played.items():
        print(f"| {race} | {count} | {wrong[race]} |")


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    configure("error", to_terminal=False)
    anyio.run(main, given.rounds, given.seed)
