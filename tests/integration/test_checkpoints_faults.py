"""Faults: whatever happens to Redis, a state is whole, or there is none, or a typed error says why."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio
import pytest
from anyio.abc import ByteStream, SocketListener
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError

from runtime.checkpoints import RedisSaver
from runtime.errors import CheckpointLost, RedisUnavailable
from tests.checkpointing import Steps, at, history

pytestmark = pytest.mark.anyio


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


@asynccontextmanager
async def cutting(redis_url: str, folder: Path) -> AsyncIterator[tuple[Cut, RedisSaver]]:
    """A saver whose connections can be cut."""
    cut, path = Cut(), folder / "cut.sock"
    async with (
        impatient(path) as client,
        anyio.create_task_group() as tasks,
        await anyio.create_unix_listener(path) as listener,
    ):
        tasks.start_soon(cut.serve, listener, redis_url.removeprefix("unix://"))
        yield cut, RedisSaver(client)
        tasks.cancel_scope.cancel()


async def test_a_connection_cut_in_a_reply_is_a_typed_error(
    client: Redis, redis_url: str, tmp_path: Path
) -> None:
    """Half a reply is never half a state, and the next call is not confused by the rest of it."""
    config = await Steps(RedisSaver(client)).put(messages=history(10))
    async with cutting(redis_url, tmp_path) as (cut, saver):
        for left in (0, 1, 50, 300, 1500, 3000):
            cut.left = left
            with pytest.raises(RedisUnavailable):
                await saver.aget_tuple(config)
            cut.left = left
            with pytest.raises(RedisUnavailable):
                assert [one async for one in saver.alist(config)]
        cut.left = 100_000
        assert await state(saver) == {"messages": history(10)}


async def test_a_write_whose_reply_was_cut_may_be_made_again(
    client: Redis, redis_url: str, tmp_path: Path
) -> None:
    """It was stored or not, which nobody can know; made again it is there once, and what follows is right."""
    async with cutting(redis_url, tmp_path) as (cut, saver):
        cut.left = 100_000
        steps = Steps(saver, run_id="r1")
        await steps.put(messages=history(5))
        for turns, left in enumerate((0, 1, 3, 0, 1, 3), 6):
            checkpoint = steps.checkpoint()
            checkpoint["channel_values"] = {"messages": history(turns)}
            checkpoint["channel_versions"] = {"messages": saver.get_next_version(None, None)}
            cut.left = left
            with pytest.raises(RedisUnavailable):
                await saver.aput(steps.config, checkpoint, {}, checkpoint["channel_versions"])
            cut.left = 100_000
            stored = await saver.aput(steps.config, checkpoint, {}, checkpoint["channel_versions"])
            cut.left = left
            with pytest.raises(RedisUnavailable):
                await saver.aput_writes(stored, [("messages", history(turns)[-1:])], "task")
            cut.left = 100_000
            await saver.aput_writes(stored, [("messages", history(turns)[-1:])], "task")
            newest = await RedisSaver(client).aget_tuple(at())
            assert newest is not None and newest.config == stored
            assert newest.checkpoint["channel_values"] == {"messages": history(turns)}
            assert newest.pending_writes == [("task", "messages", history(turns)[-1:])]
        assert len([one async for one in saver.alist(at())]) == 7
