"""Half an hour at 50 sessions: is memory flat, is latency flat, is nothing left behind?

    python -m benchmarks.soak --minutes 30 --sessions 50

A server in a process of its own, which works itself and starts its own Redis. Each session plays short turns
through the stock SDK over WebSocket, with pauses, on a thread that it deletes after some turns to begin anew.
At the end each session's last thread stays, the queue has time to forget its done jobs, and the database is
compared with the threads that live.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Sequence

import anyio
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient
from redis.asyncio import Redis

from benchmarks.soak.leaks import Leaks, find_leaks
from benchmarks.soak.samples import HEAD, Sample, look, text
from benchmarks.soak.sessions import Record, hold_session
from benchmarks.soak.verdict import slope_mib_an_hour, verdict
from benchmarks.stream.load import Target
from benchmarks.stream.table import show_goals
from benchmarks.stream.targets import ours
from runtime.redis import connect

_FORGET_S = 75.0
"""The queue keeps a done job for a minute."""
_SHOWN = 20


async def run(minutes: float, sessions: int, every_s: float) -> None:
    async with (
        ours(0) as target,
        get_client(url=target.url, timeout=60) as sdk,
        connect(target.redis_url) as client,
    ):
        record = Record()
        samples = await _hold(sdk, client, target, record, sessions, minutes * 60, every_s)
        print(f"Waiting {_FORGET_S:g} s for the queue to forget its done jobs …", flush=True)
        await anyio.sleep(_FORGET_S)
        leaks = await find_leaks(client, record.live, record.ended)
    _tell(samples, record, leaks)


async def _hold(
    sdk: LangGraphClient,
    client: Redis,
    target: Target,
    record: Record,
    sessions: int,
    seconds: float,
    every_s: float,
) -> list[Sample]:
    """All sessions until the time is up."""
    began = time.monotonic()
    samples: list[Sample] = []
    print(HEAD, flush=True)
    async with anyio.create_task_group() as tasks:
        for number in range(sessions):
            tasks.start_soon(hold_session, sdk, number, record, began + seconds)
        while time.monotonic() < began + seconds:
            await anyio.sleep(every_s)
            since = samples[-1].at_s if samples else began
            samples.append(await look(target.pids["server"][0], client, record, since))
            print(text(samples[-1], began), flush=True)
    return samples


def _tell(samples: list[Sample], record: Record, leaks: Leaks) -> None:
    print(f"{len(record.played):,} turns on {len(record.live) + len(record.ended):,} threads.")
    print(f"The server's memory after warming up: {slope_mib_an_hour(samples):+.1f} MiB an hour.")
    for name, count in record.failures.most_common():
        print(f"Failed: {name}, {count} times")
    _list("Keys of threads that do not live", leaks.of_the_dead)
    _list("Keys of no thread that name deleted ones", leaks.mentions)
    _list("Keys of jobs", leaks.jobs)
    others = [f"{kind}: {size.keys:,}, {size.bytes:,} bytes" for kind, size in leaks.others.items()]
    _list("Kinds of keys of no thread, to be looked at", others)
    show_goals(verdict(samples, record, leaks))


def _list(title: str, keys: Sequence[str]) -> None:
    print(f"{title}: {len(keys):,}")
    for key in sorted(keys)[:_SHOWN]:
        print(f"    {key}")
    if len(keys) > _SHOWN:
        print(f"    … and {len(keys) - _SHOWN:,} more")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--every", type=float, default=30, help="seconds between two lines")
    asked = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    anyio.run(run, asked.minutes, asked.sessions, asked.every)
