"""Calls that travel together: what each caller gets when others fail, are cancelled, or come by the dozen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from redis import Redis as SyncRedis
from redis.asyncio import Redis
from redis.exceptions import RedisClusterException, ResponseError

from runtime.errors import RedisUnavailable
from runtime.redis import connect
from runtime.redis_calls import Operation, SyncCalls, ask, command, script, unavailable
from runtime.redis_lanes import AsyncCalls
from runtime.redis_sync import sync_client

pytestmark = pytest.mark.anyio


@pytest.fixture
async def other(redis_url: str) -> AsyncIterator[Redis]:
    """A connection beside those of the calls."""
    async with connect(redis_url) as other:
        yield other


def both(*args: Any) -> Operation[Any]:
    """Two round trips: the reply to `args`, and an echo."""
    reply = yield from ask(command(*args))
    echo = yield from ask(command("ECHO", "end"))
    return reply, echo


async def test_each_of_many_callers_gets_its_own_reply(client: Redis) -> None:
    """A hundred at once use two connections, and nobody gets another's reply."""
    calls, replies = AsyncCalls(client), {}

    async def one(number: int) -> None:
        replies[number] = await calls.run(both("ECHO", number))

    async with anyio.create_task_group() as tasks:
        for number in range(100):
            tasks.start_soon(one, number)
    assert replies == {number: (str(number).encode(), b"end") for number in range(100)}
    # One more is the connection that asks.
    assert len(await client.client_list()) <= 3


async def test_one_callers_mistake_is_not_the_others(client: Redis) -> None:
    """Redis refuses one command of a batch; the rest of the batch is answered."""
    calls, outcomes = AsyncCalls(client, lanes=1), {}

    async def one(number: int) -> None:
        try:
            outcomes[number] = await calls.run(both("ECHO", number) if number % 2 else both("NONSENSE"))
        except RedisUnavailable as exc:
            outcomes[number] = str(exc.__cause__)

    async with anyio.create_task_group() as tasks:
        for number in range(10):
            tasks.start_soon(one, number)
    assert [outcomes[number] for number in (1, 9)] == [(b"1", b"end"), (b"9", b"end")]
    assert all("unknown command" in str(outcomes[number]) for number in (0, 2, 4, 6, 8))


async def wait_for(queued: int, calls: AsyncCalls) -> None:
    with anyio.fail_after(5):
        while len(calls._queue) < queued:
            await anyio.lowlevel.checkpoint()


async def test_a_cancelled_leader_leaves_the_others_their_replies(client: Redis, other: Redis) -> None:
    """Its batch is on the way; the replies in it belong to those who travel with it."""
    calls, answered, scope = AsyncCalls(client, lanes=1), [], anyio.CancelScope()

    async def leader() -> None:
        with scope:
            await calls.run(ask(command("BLPOP", "second", 0)))
        answered.append("the leader has left")

    async def passenger() -> None:
        answered.append(await calls.run(ask(command("ECHO", "x"))))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(calls.run, ask(command("BLPOP", "first", 0)))
        await anyio.lowlevel.checkpoint()
        tasks.start_soon(leader)
        tasks.start_soon(passenger)
        await wait_for(2, calls)
        await other.rpush("first", "go")
        with anyio.fail_after(5):
            while calls._queue:
                await anyio.lowlevel.checkpoint()
        scope.cancel()
        await anyio.lowlevel.checkpoint()
        await other.rpush("second", "go")
    assert sorted(map(str, answered)) == ["b'x'", "the leader has left"]
    assert await calls.run(both("ECHO", "y")) == (b"y", b"end")


async def test_a_caller_cancelled_in_the_queue_is_not_waited_for(client: Redis, other: Redis) -> None:
    """It is gone before its turn comes; the next one has it."""
    calls, scope = AsyncCalls(client, lanes=1), anyio.CancelScope()

    async def cancelled() -> None:
        with scope:
            await calls.run(ask(command("SET", "k", "v")))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(calls.run, ask(command("BLPOP", "first", 0)))
        await anyio.lowlevel.checkpoint()
        tasks.start_soon(cancelled)
        tasks.start_soon(calls.run, both("ECHO", "x"))
        await wait_for(2, calls)
        scope.cancel()
        await other.rpush("first", "go")
    assert not await client.exists("k")


async def test_a_caller_cancelled_as_the_lane_comes_to_it_passes_it_on(client: Redis, other: Redis) -> None:
    """asyncio's own cancellation, as LangGraph's, can hit a task that was woken and has not yet run."""
    calls = AsyncCalls(client, lanes=1)
    tasks: list[asyncio.Task[Any]] = []

    async def first() -> None:
        await calls.run(ask(command("BLPOP", "first", 0)))
        # In the same step of the loop in which the lane was given to the next caller.
        tasks[1].cancel()

    tasks.append(asyncio.create_task(first()))
    await anyio.lowlevel.checkpoint()
    for _ in range(2):
        tasks.append(asyncio.create_task(calls.run(both("ECHO", "x"))))
    await wait_for(2, calls)
    await other.rpush("first", "go")
    with anyio.fail_after(5):
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert outcomes[0] is None and outcomes[2] == (b"x", b"end")
    assert isinstance(outcomes[1], asyncio.CancelledError)


async def test_a_server_that_hangs_is_given_up(client: Redis, other: Redis) -> None:
    """Every waiting caller gets the typed error, and the next call works."""
    calls, failed = AsyncCalls(client, lanes=1, timeout_s=0.05), []

    async def one() -> None:
        try:
            await calls.run(both("PING"))
        except RedisUnavailable as exc:
            failed.append(exc)

    await other.client_pause(300)
    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(one)
    await other.client_unpause()
    assert len(failed) == 5 and len({id(exc) for exc in failed}) == 5
    assert await calls.run(both("ECHO", "x")) == (b"x", b"end")


def test_an_error_of_a_cluster_does_not_quote_the_command() -> None:
    """redis-py names the arguments there, which hold messages; our errors are logged and sent to clients."""
    error = unavailable(RedisClusterException("No targets were found to execute ('SET', 'confidential')"))
    assert "confidential" not in str(error) and "RedisClusterException" in str(error)
    assert "WRONGTYPE" in str(unavailable(ResponseError("WRONGTYPE")))


async def test_scripts_are_sent_again_when_the_server_forgot_them(client: Redis) -> None:
    """After a restart or SCRIPT FLUSH, also for several in one batch."""
    calls, replies = AsyncCalls(client, lanes=1), []
    names = script(["checkpoint_common", "checkpoint_namespaces"], ["{t}:c"])

    async def one() -> None:
        replies.append(await calls.run(ask(names)))

    for _ in range(2):
        async with anyio.create_task_group() as tasks:
            for _ in range(6):
                tasks.start_soon(one)
        await client.script_flush()
    assert replies == [[]] * 12
    sync = SyncCalls(lambda: sync_client(client))
    assert sync.run(ask(names)) == []
    assert sync.run(both("ECHO", "x")) == (b"x", b"end")
    sync.close()


async def test_the_sync_client_reaches_the_same_server(redis_url: str) -> None:
    """Address, database and password are carried over; asyncio's own objects are not."""
    async with connect(f"{redis_url}?db=3") as client:
        await client.set("k", "v")
        with sync_client(client) as sync:
            assert isinstance(sync, SyncRedis) and sync.get("k") == b"v"
    async with connect("rediss://user:secret@example.test:6390/2") as client:
        with sync_client(client) as sync:
            assert isinstance(sync, SyncRedis)
            settings = sync.connection_pool.connection_kwargs
            assert (settings["host"], settings["port"], settings["db"]) == ("example.test", 6390, 2)
            assert (settings["username"], settings["password"]) == ("user", "secret")
            assert sync.connection_pool.connection_class.__name__ == "SSLConnection"
