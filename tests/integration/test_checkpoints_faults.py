"""Faults: whatever happens to Redis, a state is whole, or there is none, or a typed error says why."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio
import pytest
from anyio.abc import ByteStream, Process, SocketListener
from langchain_core.runnables import RunnableConfig
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError

from runtime.checkpoints import RedisSaver
from runtime.embedded_redis import find_server
from runtime.errors import CheckpointLost, RedisUnavailable
from runtime.redis import connect
from tests.checkpointing import Steps, at, history

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    async with connect(redis_url) as client:
        yield client


def impatient(socket: Path) -> Redis:
    """A client that tries once, so that each fault reaches the saver."""
    return Redis(unix_socket_path=str(socket), retry=Retry(NoBackoff(), 0))


async def state(saver: RedisSaver) -> object:
    newest = await saver.aget_tuple(at())
    return newest and newest.checkpoint["channel_values"]


@pytest.mark.parametrize("how", ["flush", "expiry"])
async def test_a_warm_saver_survives_the_loss_of_the_thread(client: Redis, how: str) -> None:
    """It believes the history stored; the script knows better, and all is sent again."""
    saver = RedisSaver(client)
    steps = Steps(saver)
    await steps.put(messages=history(30), constant="c" * 200)
    if how == "flush":
        await client.flushall()
    else:
        for key in ("{acme/t1}:c", "{acme/t1}:b", "{acme/t1}:w"):
            await client.pexpireat(key, 1)
    assert await state(saver) is None
    await steps.put(messages=history(31))
    assert await state(saver) == {"messages": history(31), "constant": "c" * 200}
    await saver.aput_writes(steps.config, [("messages", history(31))], "task")
    newest = await saver.aget_tuple(at())
    assert newest is not None and newest.pending_writes == [("task", "messages", history(31))]


async def test_what_another_process_pruned_is_sent_again(client: Redis) -> None:
    """A value this saver knows to be stored is gone, although the one it was stored with is still there."""
    saver = RedisSaver(client)
    steps = Steps(saver)
    await steps.put(first="f" * 200, messages=history(20))
    await steps.put(messages=history(1))
    await RedisSaver(client).aprune(["acme/t1"])
    await steps.put(messages=history(20))
    assert await state(saver) == {"first": "f" * 200, "messages": history(20)}


@pytest.mark.parametrize("turns", [1, 9])
async def test_a_failover_to_a_lagging_replica_is_noticed(client: Redis, turns: int) -> None:
    """The server is back at an older state of the same generation: what was stored since is sent again."""
    saver = RedisSaver(client)
    steps = Steps(saver)
    await steps.put(messages=history(30))
    older = [(key, await client.dump(key)) for key in ("{acme/t1}:c", "{acme/t1}:b")]
    for turn in range(30, 30 + turns):
        # One message that the replica has, and two that it has not.
        await saver.aput_writes(steps.config, [("messages", history(turn + 1)[-3:])], "task")
        if turn < 29 + turns:
            await steps.put(messages=history(turn + 1))
    for key, dump in older:
        assert dump is not None
        await client.restore(key, 0, dump, replace=True)
    await client.delete("{acme/t1}:w")
    await steps.put(messages=history(30 + turns))
    assert await state(saver) == {"messages": history(30 + turns)}


async def test_a_lost_part_is_an_error_and_no_smaller_state(client: Redis) -> None:
    """An evicted value, or block, must not look like an empty channel."""
    saver = RedisSaver(client)
    config = await Steps(saver).put(messages=history(30), other="o" * 300)
    for field, value in (await client.hgetall("{acme/t1}:b")).items():
        await client.hdel("{acme/t1}:b", field)
        with pytest.raises(CheckpointLost):
            await saver.aget_tuple(config)
        with pytest.raises(CheckpointLost):
            assert [one async for one in saver.alist(at())]
        await client.hset("{acme/t1}:b", field, value)
    assert await state(saver) is not None


async def test_a_server_that_is_down_is_a_typed_error(tmp_path: Path) -> None:
    """A read error is never taken for a thread without checkpoints; the cause is kept."""
    async with impatient(tmp_path / "none.sock") as client:
        saver = RedisSaver(client)
        with pytest.raises(RedisUnavailable) as raised:
            await saver.aget_tuple(at())
        assert isinstance(raised.value.__cause__, ConnectionError)
        with pytest.raises(RedisUnavailable):
            await Steps(saver).put(x=1)
        with pytest.raises(RedisUnavailable):
            saver.get_tuple(at())
        saver.close()


async def test_a_key_of_another_kind_is_a_typed_error(client: Redis) -> None:
    """So is any refusal by Redis: out of memory, read only, wrong type."""
    await client.set("{acme/t1}:c", "x")
    with pytest.raises(RedisUnavailable, match="WRONGTYPE"):
        await RedisSaver(client).aget_tuple(at())


@asynccontextmanager
async def server(folder: Path) -> AsyncIterator[Process]:
    """A redis-server that writes each command to disk before it answers; killed at the end."""
    socket = folder / "r.sock"
    socket.unlink(missing_ok=True)
    args = ["--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--save", ""]
    durable = ["--appendonly", "yes", "--appendfsync", "always", "--logfile", "redis.log"]
    async with await anyio.open_process([str(find_server()), *args, *durable]) as process:
        with anyio.fail_after(10):
            while not socket.exists():
                await anyio.sleep(0.01)
        yield process
        if process.returncode is None:
            process.kill()


async def test_a_killed_server_loses_nothing_it_confirmed(tmp_path: Path) -> None:
    """Killed under load again and again: each confirmed checkpoint is there, whole, and work goes on."""
    threads = [f"acme/{number}" for number in range(4)]
    confirmed: list[tuple[RunnableConfig, int]] = []
    async with impatient(tmp_path / "r.sock") as client:
        saver = RedisSaver(client)
        workers = {thread: Steps(saver, thread) for thread in threads}

        async def work(steps: Steps, enough: int, process: Process) -> None:
            while True:
                turns = steps.steps + 1
                try:
                    stored = await steps.put(messages=history(turns))
                except RedisUnavailable:
                    return
                confirmed.append((stored, turns))
                if len(confirmed) == enough:
                    process.kill()

        for enough in (17, 40, 58):
            async with server(tmp_path) as process, anyio.create_task_group() as tasks:
                for steps in workers.values():
                    tasks.start_soon(work, steps, enough, process)
        async with server(tmp_path):
            for config, turns in confirmed:
                stored = await saver.aget_tuple(config)
                assert stored is not None
                assert stored.checkpoint["channel_values"] == {"messages": history(turns)}
    assert len(confirmed) >= 58


class Cut:
    """Stands between client and server, and cuts the connection after `left` more bytes of replies."""

    def __init__(self) -> None:
        self.left = 0

    async def serve(self, listener: SocketListener, target: str) -> None:
        async def relay(inner: ByteStream) -> None:
            async with inner, await anyio.connect_unix(target) as outer, anyio.create_task_group() as tasks:
                tasks.start_soon(self._replies, outer, inner, tasks.cancel_scope)
                with suppress(anyio.BrokenResourceError):
                    async for data in inner:
                        await outer.send(data)
                tasks.cancel_scope.cancel()

        await listener.serve(relay)

    async def _replies(self, outer: ByteStream, inner: ByteStream, scope: anyio.CancelScope) -> None:
        async for data in outer:
            passed = data[: self.left]
            self.left -= len(passed)
            if passed:
                await inner.send(passed)
            if not self.left:
                break
        scope.cancel()


async def test_a_connection_cut_in_a_reply_is_a_typed_error(redis_url: str, tmp_path: Path) -> None:
    """Half a reply is never half a state, and the next call is not confused by the rest of it."""
    cut, path = Cut(), tmp_path / "cut.sock"
    async with (
        connect(redis_url) as direct,
        impatient(path) as client,
        anyio.create_task_group() as tasks,
        await anyio.create_unix_listener(path) as listener,
    ):
        tasks.start_soon(cut.serve, listener, redis_url.removeprefix("unix://"))
        config = await Steps(RedisSaver(direct)).put(messages=history(10))
        saver = RedisSaver(client)
        for left in (0, 1, 50, 300, 1500, 3000):
            cut.left = left
            with pytest.raises(RedisUnavailable):
                await saver.aget_tuple(config)
            cut.left = left
            with pytest.raises(RedisUnavailable):
                assert [one async for one in saver.alist(config)]
        cut.left = 100_000
        assert await state(saver) == {"messages": history(10)}
        tasks.cancel_scope.cancel()
