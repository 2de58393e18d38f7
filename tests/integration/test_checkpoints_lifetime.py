"""How long threads stay: TTL, pins, copies, pruning and deletion."""

from __future__ import annotations

import pytest
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from redis.asyncio import Redis

from runtime.checkpoints import RedisSaver
from runtime.errors import InvalidInput
from tests.checkpointing import Steps, T, at, history, id_of

pytestmark = pytest.mark.anyio

KEYS = ["{acme/t1}:c", "{acme/t1}:b", "{acme/t1}:w"]


@pytest.fixture
def client(any_client: Redis) -> Redis:
    return any_client


async def times_left(client: Redis) -> list[int]:
    """Milliseconds of the thread's keys, seen at one moment; -1: the key does not expire."""
    text = "local t = {} for i = 1, #KEYS do t[i] = redis.call('PTTL', KEYS[i]) end return t"
    left: list[int] = await client.eval(text, len(KEYS), *KEYS)
    return [ms for ms in left if ms != -2]


async def expire_together(client: Redis) -> bool:
    left = await times_left(client)
    return min(left) > 0 and max(left) - min(left) < 1000


async def test_a_threads_keys_expire_together_and_each_write_puts_it_off(client: Redis) -> None:
    """One that went before the others would leave half a state."""
    saver = RedisSaver(client, ttl_s=100)
    steps = Steps(saver, run_id="r1")
    await steps.put(x=history(2))
    await saver.aput_writes(steps.config, [("x", 1)], "task")
    assert await expire_together(client)
    for key in KEYS:
        await client.pexpire(key, 5000)
    await saver.aput_writes(steps.config, [("x", 2)], "task2")
    assert await expire_together(client)
    assert all([await client.pttl(key) > 90_000 for key in [*KEYS, "checkpoints:run:r1"]])


async def test_the_ttl_may_depend_on_the_thread(client: Redis) -> None:
    """The saver knows no tenants; whoever makes it does."""
    saver = RedisSaver(client, ttl_s=lambda thread: 50 if thread.startswith("free/") else None)
    for thread in ("free/1", "paid/1"):
        await Steps(saver, thread).put(x=1)
    assert 0 < await client.ttl("{free/1}:c") <= 50
    assert await client.ttl("{paid/1}:c") == -1


async def test_a_pinned_thread_does_not_expire(client: Redis) -> None:
    """Also when it is written to, until it is unpinned."""
    saver = RedisSaver(client, ttl_s=100)
    steps = Steps(saver)
    await steps.put(x=1)
    await saver.apin(T)
    await steps.put(x=2)
    assert set(await times_left(client)) == {-1}
    await saver.aprune([T])
    await steps.put(x=3)
    assert set(await times_left(client)) == {-1}
    await saver.aunpin(T)
    assert await expire_together(client) and await client.ttl(KEYS[0]) > 90
    saver.pin(T)
    assert set(await times_left(client)) == {-1}
    saver.unpin(T)
    assert await client.ttl(KEYS[0]) > 90
    saver.close()


async def test_pruning_keeps_the_deadline(client: Redis) -> None:
    """Maintenance is no use of the thread."""
    saver = RedisSaver(client, ttl_s=100)
    steps = Steps(saver)
    await steps.put(x=history(1))
    await steps.put(x=history(2))
    for key in KEYS:
        await client.pexpire(key, 50_000)
    await saver.aprune([T])
    assert await expire_together(client) and 0 < await client.ttl(KEYS[0]) <= 50


async def test_pruning_leaves_what_the_newest_checkpoint_needs(client: Redis, saver: RedisSaver) -> None:
    """State, writes and later steps are as if nothing had happened; the rest is gone, old runs too."""
    steps = Steps(saver, run_id="old")
    for turns in range(1, 60):
        await steps.put(messages=history(turns), constant="c" * 1000)
    steps.config["configurable"]["run_id"] = "new"
    config = await steps.put(messages=history(60))
    await saver.aput_writes(config, [("messages", history(61)[-2:])], "task")
    before = await saver.aget_tuple(at())
    assert before is not None
    await saver.aprune([T])
    after = await saver.aget_tuple(at())
    assert after == before._replace(parent_config=None)
    assert [id_of(one.config) async for one in saver.alist(at())] == [id_of(config)]
    assert await client.hlen(KEYS[1]) < 40
    assert await client.keys("checkpoints:run:*") == [b"checkpoints:run:new"]
    await steps.put(messages=history(61))
    newest = await saver.aget_tuple(at())
    assert newest is not None and newest.checkpoint["channel_values"]["messages"] == history(61)


async def test_pruning_drops_subgraph_calls_that_are_over(saver: RedisSaver) -> None:
    """A call's state is needed only while the root stands at the checkpoint that it runs from."""
    root = Steps(saver)
    first = await root.put(x=1)
    await Steps(saver, namespace="over:1").put({"parents": {"": id_of(first)}}, x=1)
    second = await root.put(x=2)
    await Steps(saver, namespace="running:1").put({"parents": {"": id_of(second)}}, x=1)
    await Steps(saver, namespace="stateful").put({"parents": {"": id_of(first)}}, x=1)
    await Steps(saver, namespace="exit:1").put({"parents": {"": "not-saved"}}, x=1)
    await saver.aprune([T])
    left = {one.config["configurable"]["checkpoint_ns"] async for one in saver.alist(at(namespace=None))}
    assert left == {"", "running:1", "stateful", "exit:1"}


async def test_pruning_keeps_a_delta_channels_ancestors(saver: RedisSaver) -> None:
    """Its value is rebuilt from the last snapshot and the writes since."""
    steps = Steps(saver)
    for turn in range(6):
        counters = {"counters_since_delta_snapshot": {"log": (turn - 2, turn - 2)}} if turn > 2 else {}
        steps.versions["log"] = f"{turn:08x}"
        if turn == 2:
            await steps.put(counters, log=_DeltaSnapshot(history(1)))
            del steps.values["log"]
        else:
            await steps.put(counters, turn=turn)
        await saver.aput_writes(steps.config, [("log", [turn])], f"task-{turn}")
    whole = await saver.aget_delta_channel_history(config=at(), channels=["log"])
    assert whole["log"]["seed"] == _DeltaSnapshot(history(1))
    assert [value for _, _, value in whole["log"]["writes"]] == [[2], [3], [4]]
    await saver.aprune([T])
    assert await saver.aget_delta_channel_history(config=at(), channels=["log"]) == whole
    assert len([one async for one in saver.alist(at())]) == 4


async def test_a_long_delta_history_takes_several_replies(saver: RedisSaver) -> None:
    """Beyond the ancestors of one reply the walk goes on where it stopped."""
    steps = Steps(saver)
    for turn in range(1100):
        await steps.put(turn=turn)
        await saver.aput_writes(steps.config, [("log", turn)], "task")
    found = await saver.aget_delta_channel_history(config=at(), channels=["log", "turn", "never"])
    assert [value for _, _, value in found["log"]["writes"]] == list(range(1099))
    assert found["turn"] == {"writes": [], "seed": 1098} and found["never"] == {"writes": []}


async def test_an_unknown_strategy_is_refused(saver: RedisSaver) -> None:
    """A misspelt one must not delete."""
    with pytest.raises(InvalidInput):
        await saver.aprune([T], strategy="keep")


async def test_deleting_a_thread_leaves_no_key(client: Redis, saver: RedisSaver) -> None:
    """Not in the thread's slot and not in the registry of runs."""
    for run in ("r1", "r2"):
        steps = Steps(saver, run_id=run)
        config = await steps.put(x=history(3))
        await saver.aput_writes(config, [("x", 1)], "task")
    await saver.adelete_thread(T)
    assert await client.keys() == []
    await steps.put(x=history(4))
    stored = await saver.aget_tuple(at())
    assert stored is not None and stored.checkpoint["channel_values"]["x"] == history(4)
    await saver.aprune([T], strategy="delete")
    assert await client.keys() == []


async def test_deleting_a_run_keeps_the_others_whole(client: Redis, saver: RedisSaver) -> None:
    """Its checkpoints, writes and values go; what others share with it stays, and the next ancestor."""
    steps = Steps(saver, run_id="keep")
    kept = await steps.put(messages=history(20))
    steps.config["configurable"]["run_id"] = "drop"
    await steps.put(messages=[*history(20), *history(22)[-2:]], secret="s" * 500)
    steps.config["configurable"]["run_id"] = "later"
    await steps.put(messages=history(23))
    await saver.adelete_for_runs(["drop"])
    listed = [one async for one in saver.alist(at())]
    assert [one.metadata["run_id"] for one in listed] == ["later", "keep"]
    assert listed[0].parent_config == kept and listed[0].checkpoint["channel_values"]["secret"] == "s" * 500
    assert listed[1].checkpoint["channel_values"] == {"messages": history(20)} and listed[1].config == kept
    await saver.adelete_for_runs(["later"])
    assert not any(b"sssss" in value for value in (await client.hgetall(KEYS[1])).values())
    await saver.adelete_for_runs(["keep"])
    assert await client.keys() == []


@pytest.mark.parametrize("how", ["prune", "delete_for_runs"])
async def test_a_long_history_outlives_its_first_checkpoints(
    client: Redis, saver: RedisSaver, how: str
) -> None:
    """The chunks of a long history are referred to by groups only, and old and new histories share them."""
    steps = Steps(saver, run_id="old")
    for turns in range(295, 300):
        await steps.put(messages=history(turns))
    steps.config["configurable"]["run_id"] = "new"
    await steps.put(messages=history(300))
    await (saver.aprune([T]) if how == "prune" else saver.adelete_for_runs(["old"]))
    (left,) = [one async for one in saver.alist(at())]
    assert left.checkpoint["channel_values"] == {"messages": history(300)}
    await steps.put(messages=history(301))
    newest = await RedisSaver(client).aget_tuple(at())
    assert newest is not None and newest.checkpoint["channel_values"] == {"messages": history(301)}


async def test_a_copy_is_a_thread_of_its_own(client: Redis, saver: RedisSaver) -> None:
    """It replaces what the target held, belongs to its runs, and goes on apart from its source."""
    steps = Steps(saver, run_id="r1")
    config = await steps.put(x=history(5))
    await saver.aput_writes(config, [("x", 1)], "task")
    await saver.apin(T)
    await Steps(saver, "acme/t2", run_id="gone").put(x=1)
    await saver.acopy_thread(T, "acme/t2")
    await saver.acopy_thread("acme/none", "acme/t2")
    copied = await saver.aget_tuple(at("acme/t2"))
    assert copied is not None and copied.pending_writes == [("task", "x", 1)]
    assert copied.checkpoint["channel_values"] == {"x": history(5)}
    assert not await client.hexists("{acme/t2}:b", "P") and not await client.exists("checkpoints:run:gone")
    await saver.adelete_for_runs(["r1"])
    assert await saver.aget_tuple(at("acme/t2")) is None and await saver.aget_tuple(at()) is None
