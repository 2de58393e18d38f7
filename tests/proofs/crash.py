"""Crash-proof: rounds of SIGKILL under concurrent runs, and what each round must show.

`python -m tests.proofs.crash --rounds 100` prints a table.
"""

from __future__ import annotations

import random
from argparse import ArgumentParser
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from uuid import uuid4

import anyio
from redis.asyncio import Redis

from runtime.embedded_redis import embedded_redis
from runtime.log import configure
from runtime.redis import connect
from tests.proofs.graphs import PARTS, effects_of
from tests.proofs.processes import Member, open_members
from tests.proofs.reader import Frame, Reader, command, start

RUN_S = 120.0
"""The longest that a run may take, killed processes included."""
_PAUSE_S = 0.02
"""Before each token: a run takes two seconds."""


@dataclass
class Installation:
    client: Redis
    servers: Sequence[Member]
    workers: Sequence[Member]
    random: random.Random
    undisturbed: Frame = field(default_factory=dict)
    """The final state of a run during which nothing was killed."""

    @property
    def urls(self) -> list[str]:
        return [server.url for server in self.servers]


@dataclass
class Followed:
    """A run, and what its client saw; times are seconds on the monotonic clock."""

    thread: str
    reader: Reader
    run_id: str = ""
    seen: list[float] = field(default_factory=list)
    """When each frame came."""


@dataclass(frozen=True)
class Round:
    killed: str
    takeover_s: list[float]
    """For each run that another worker took over, from the kill to the event that says so."""
    faults: list[str]
    """What is wrong; none, if all is well."""


@asynccontextmanager
async def open_crash_proof(
    redis_url: str, folder: Path, seed: int, settings: Mapping[str, str] = {}
) -> AsyncIterator[Installation]:
    """Two servers and two workers."""
    async with (
        connect(redis_url) as client,
        open_members(redis_url, folder, servers=2, workers=2, settings=settings) as (servers, workers),
    ):
        place = Installation(client, servers, workers, random.Random(seed))
        quiet = Followed("quiet", Reader(place.urls, "quiet"))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(quiet.reader.by_socket)
            await _one_run(place, quiet, 0.0)
            tasks.cancel_scope.cancel()
        place.undisturbed = await _state(place, quiet)
        yield place


async def play_round(place: Installation, runs: int, victims: Sequence[Member] = ()) -> Round:
    """Starts runs, kills `victims` (none: one, by chance) while they speak, starts these again, and looks at
    what became of the runs.
    """
    threads = [f"crash-{uuid4()}" for _ in range(runs)]
    all_followed = [Followed(thread, Reader(_shuffled(place), thread)) for thread in threads]
    victims = victims or [place.random.choice([*place.servers, *place.workers])]
    async with anyio.create_task_group() as followers:
        async with anyio.create_task_group() as tasks:
            for followed in all_followed:
                followers.start_soon(followed.reader.by_socket)
                followers.start_soon(_clock, followed)
                tasks.start_soon(_one_run, place, followed, _PAUSE_S)
            await anyio.sleep(place.random.uniform(0.1, 2.5))
            killed_at = monotonic()
            for victim in victims:
                await victim.kill()
                tasks.start_soon(victim.start)
        followers.cancel_scope.cancel()
    resumed = [_resumed_after(followed, killed_at) for followed in all_followed]
    faults = [fault for followed in all_followed for fault in await _faults(place, followed)]
    times = [s for s in resumed if s is not None]
    return Round("+".join(victim.kind for victim in victims), times, faults)


async def _one_run(place: Installation, followed: Followed, pause_s: float) -> None:
    followed.run_id = await start(_shuffled(place), followed.thread, "rounds", pause_s=pause_s)
    await followed.reader.until_ended(followed.run_id, within_s=RUN_S)


async def _clock(followed: Followed) -> None:
    while True:
        while len(followed.seen) < len(followed.reader.frames):
            followed.seen.append(monotonic())
        await anyio.sleep(0.02)


def _shuffled(place: Installation) -> list[str]:
    return place.random.sample(place.urls, len(place.urls))


def _resumed_after(followed: Followed, killed_at: float) -> float | None:
    """Seconds from the kill to the first `run.resumed`; None for a run that no worker took over."""
    for frame, seen in zip(followed.reader.frames, followed.seen, strict=False):
        if frame["method"] == "custom" and frame["params"]["data"].get("name") == "run.resumed":
            return seen - killed_at
    return None


async def _faults(place: Installation, followed: Followed) -> list[str]:
    run_id, frames = followed.run_id, followed.reader.frames
    ends = [end["event"] for end in followed.reader.ends(run_id)]
    seqs = [frame["seq"] for frame in frames]
    effects = await effects_of(place.client, run_id)
    state = await _state(place, followed)
    claims = {
        f"one end, which is `completed` ({ends})": ends == ["completed"],
        "each seq once, without a gap": seqs == list(range(1, len(seqs) + 1)),
        "each event once": len({frame["event_id"] for frame in frames}) == len(frames),
        f"the undisturbed state ({state})": state == place.undisturbed,
        f"each side effect once ({effects})": effects == sorted(PARTS),
        "an end of each message": _left_open(frames) == 0,
    }
    return [f"run {run_id}: not {claim}" for claim, holds in claims.items() if not holds]


async def _state(place: Installation, followed: Followed) -> Frame:
    """Without the ids that models make anew for their messages."""
    values = (await command(place.urls, followed.thread, "state.get", {}))["values"]
    return {
        "messages": [(message["type"], message["content"]) for message in values["messages"]],
        "done": values["done"],
    }


def _left_open(frames: Sequence[Frame]) -> int:
    """Messages that began and neither finished nor failed."""
    events = [frame["params"]["data"]["event"] for frame in frames if frame["method"] == "messages"]
    return events.count("message-start") - events.count("message-finish") - events.count("error")


async def main(rounds: int, runs: int, seed: int) -> None:
    times: list[float] = []
    faults: list[str] = []
    print("| round | killed | taken over | slowest takeover s | faults |\n|---|---|---|---|---|", flush=True)
    with TemporaryDirectory() as folder:
        async with (
            embedded_redis(Path(folder) / "redis") as socket,
            open_crash_proof(f"unix://{socket}", Path(folder), seed) as place,
        ):
            for number in range(1, rounds + 1):
                done = await play_round(place, runs)
                times += done.takeover_s
                faults += done.faults
                slowest = f"{max(done.takeover_s):.1f}" if done.takeover_s else "-"
                print(
                    f"| {number} | {done.killed} | {len(done.takeover_s)} | {slowest} | {len(done.faults)} |",
                    flush=True,
                )
                for fault in done.faults:
                    print(f"  {fault}", flush=True)
    worst = max(times, default=0.0)
    taken = f"{len(times)} taken over, the slowest after {worst:.1f} s"
    print(f"\n{rounds} rounds, {rounds * runs} runs, {taken}; {len(faults)} faults")


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--runs", type=int, default=20, help="at once, in each round")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    configure("error", to_terminal=False)
    anyio.run(main, given.rounds, given.runs, given.seed)
