"""Servers that are killed under load: what was confirmed is there, and nothing is ever half there."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

import anyio
import pytest
import redis
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from runtime.checkpoints import RedisSaver
from runtime.embedded_redis import find_server
from runtime.errors import RedisUnavailable
from tests.checkpointing import Steps, at, history, id_of
from tests.servers import free_port, process, wait_for

pytestmark = pytest.mark.anyio

THREADS = [f"acme/{number}" for number in range(4)]
_DURABLE = ("--appendonly", "yes", "--appendfsync", "always")
_REPLICATING = ("--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1")
Made = dict[str, tuple[str, int]]
"""By checkpoint: its thread and the turns of its history."""


class Load:
    """Puts and writes on all threads at once. It remembers what it tried, and what was confirmed."""

    def __init__(self, saver: RedisSaver) -> None:
        self.tried: Made = {}
        self.confirmed: Made = {}
        self.newest: dict[str, str] = {}
        """By thread."""
        self._saver = saver
        self._workers = {thread: Steps(saver, thread) for thread in THREADS}

    async def run(self, moment_s: float, then: Callable[[], Awaitable[None]] | None = None) -> None:
        """Until each thread has gone on, and that much longer; then, in the middle of it all, `then`."""
        self.newest.clear()
        async with anyio.create_task_group() as tasks:
            for thread, steps in self._workers.items():
                tasks.start_soon(self._work, thread, steps)
            await self.go_on()
            await anyio.sleep(moment_s)
            if then:
                await then()
                await anyio.sleep(0.01)  # For some workers to meet the fault; the others are cancelled.
            tasks.cancel_scope.cancel()

    async def go_on(self) -> None:
        """Waits until each thread has a checkpoint confirmed that it has not now."""
        before = dict(self.newest)
        with anyio.fail_after(20):
            while any(self.newest.get(thread) == before.get(thread) for thread in THREADS):
                await anyio.sleep(0.001)

    async def _work(self, thread: str, steps: Steps) -> None:
        while True:
            turns = steps.steps + 1
            checkpoint = steps.checkpoint()
            version = self._saver.get_next_version(steps.versions.get("messages"), None)
            checkpoint["channel_values"] = {"messages": history(turns)}
            checkpoint["channel_versions"] = {"messages": version}
            made = thread, turns
            self.tried[checkpoint["id"]] = made
            steps.steps = turns
            try:
                stored = await self._saver.aput(steps.config, checkpoint, {}, {"messages": version})
                self.confirmed[checkpoint["id"]] = made
                self.newest[thread] = checkpoint["id"]
                steps.config, steps.versions = stored, {"messages": version}
                await self._saver.aput_writes(stored, [("messages", history(turns)[-2:])], "task")
            except RedisUnavailable:
                return

    async def check(self, saver: RedisSaver) -> Made:
        """What is there; each is whole, and one that was tried."""
        found: Made = {}
        for thread in THREADS:
            async for one in saver.alist(at(thread)):
                _, turns = made = self.tried[id_of(one.config)]
                assert one.checkpoint["channel_values"] == {"messages": history(turns)}
                assert one.pending_writes in ([], [("task", "messages", history(turns)[-2:])])
                found[id_of(one.config)] = made
        return found


def impatient(socket: Path) -> Redis:
    """A client that tries once, so that each fault reaches the saver."""
    return Redis(unix_socket_path=str(socket), retry=Retry(NoBackoff(), 0))


@contextmanager
def server(socket: Path, *options: str) -> Iterator[Popen[bytes]]:
    socket.unlink(missing_ok=True)
    with process(find_server(), socket.parent, ("--unixsocket", str(socket), *options)) as started:
        with redis.Redis(unix_socket_path=str(socket)) as client:
            wait_for(client)
        yield started


async def test_a_killed_server_loses_nothing_it_confirmed(tmp_path: Path) -> None:
    """At ten random moments under load; restarted from its append-only file, it serves a warm saver."""
    socket, chance = tmp_path / "r.sock", random.Random(11)
    async with impatient(socket) as client:
        load = Load(RedisSaver(client))
        for _ in range(10):
            with server(socket, "--port", "0", *_DURABLE) as started:

                async def kill(started: Popen[bytes] = started) -> None:
                    started.kill()

                await load.run(chance.uniform(0.01, 0.1), kill)
        with server(socket, "--port", "0", *_DURABLE):
            found = await load.check(RedisSaver(client))
    assert load.confirmed.items() <= found.items() and len(load.confirmed) >= 10 * len(THREADS)


@pytest.mark.parametrize("seed", range(5))
async def test_a_failover_to_a_lagging_replica_leaves_every_state_whole(tmp_path: Path, seed: int) -> None:
    """The saver believes stored what the replica never saw: it is told, and sends it again."""
    chance = random.Random(seed)
    primary, replica, current = (tmp_path / name for name in ("primary", "replica", "current"))
    for folder in (primary, replica):
        folder.mkdir()
    ports = free_port(), free_port()
    following = ("--replicaof", f"127.0.0.1 {ports[0]}")
    async with impatient(current) as client:
        load = Load(RedisSaver(client))
        with (
            server(primary / "r.sock", "--port", str(ports[0]), *_REPLICATING) as first,
            server(replica / "r.sock", "--port", str(ports[1]), *_REPLICATING, *following),
            redis.Redis(unix_socket_path=str(replica / "r.sock")) as direct,
        ):
            current.symlink_to(primary / "r.sock")
            with anyio.fail_after(20):
                while direct.info("replication")["master_link_status"] != "up":
                    await anyio.sleep(0.02)

            async def fail_over() -> None:
                direct.execute_command("REPLICAOF", "NO", "ONE")  # From here on it lags.
                await load.go_on()
                await anyio.sleep(chance.uniform(0, 0.1))
                first.kill()
                first.wait()
                current.unlink()
                current.symlink_to(replica / "r.sock")

            await load.run(chance.uniform(0.05, 0.2), fail_over)
            before = await load.check(RedisSaver(client))
            assert before.keys() < load.tried.keys() and not load.confirmed.keys() <= before.keys()
            await load.run(0.1)
            found = await load.check(RedisSaver(client))
            assert load.newest.keys() == set(THREADS) and set(load.newest.values()) <= found.keys()
