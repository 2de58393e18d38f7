"""Pruning and forgetting a run go step by step: what is written meanwhile, or cuts in, spoils nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from redis.asyncio import Redis

from runtime import checkpoint_removal
from runtime.checkpoints import RedisSaver
from runtime.errors import ThreadBusy
from runtime.redis_calls import Operation
from tests.checkpointing import Steps, Stepwise, T, at, content, history, id_of

pytestmark = pytest.mark.anyio

KEPT = [f"{{acme/t1}}:{kind}" for kind in "cbw"]
BUILT = [f"{key}+" for key in KEPT]
NAMESPACES = ["", *(f"sub:{number}" for number in range(40))]


@pytest.fixture
def client(any_client: Redis) -> Redis:
    return any_client


def operation(saver: RedisSaver, how: str) -> Operation[None]:
    if how == "prune":
        return checkpoint_removal.prune(saver._setup, [T], "keep_latest")
    return checkpoint_removal.delete_for_runs(saver._setup, ["old"])


async def fill(saver: RedisSaver) -> Steps:
    """Several steps' work: 41 namespaces of an old and a new run, and writes; returns the root's steps."""
    root = Steps(saver, run_id="old")
    for namespace in NAMESPACES:
        steps = Steps(saver, namespace=namespace, run_id="old") if namespace else root
        for turns in (10, 20, 30):
            steps.config["configurable"]["run_id"] = "old" if turns == 20 else "kept"
            await steps.put(messages=history(turns), constant="c" * 200)
            await saver.aput_writes(steps.config, [("messages", history(turns)[-2:])], "task")
    return root


async def finished(saver: RedisSaver, how: str) -> dict[str, Any]:
    await Stepwise(saver, operation(saver, how)).finish()
    return await content(saver)


@pytest.mark.parametrize("how", ["prune", "forget"])
async def test_what_is_written_meanwhile_is_there_afterwards(saver: RedisSaver, how: str) -> None:
    """Between any two steps there may be a put, a write or a new namespace, before and behind the cursor."""
    root = await fill(saver)
    oldest = id_of([one async for one in saver.alist(at())][-1].config)
    compaction, written, more, steps = Stepwise(saver, operation(saver, how)), {}, True, 0
    on_root: list[str] = []
    root.config["configurable"]["run_id"] = "kept"
    while more:
        more = await compaction.step()
        steps += 1
        turns = 30 + steps
        config = await root.put(messages=history(turns))
        await saver.aput_writes(config, [("messages", history(turns)[-1:])], "late")
        on_root.append(id_of(config))
        written[id_of(config)] = (history(turns), [("late", "messages", history(turns)[-1:])])
        branch = [("", oldest)] if steps < 4 else []  # Afterwards the oldest one is gone.
        for namespace, parent in [("sub:9", ""), (f"new:{steps}", ""), *branch]:
            beside = Steps(saver, namespace=namespace, run_id="kept", checkpoint_id=parent)
            stored = await beside.put(messages=history(turns))
            written[id_of(stored)] = (history(turns), [])
    assert steps > 4
    left = await content(RedisSaver(saver._calls._client))
    if how == "forget":
        assert all(left[checkpoint_id][1] for checkpoint_id in on_root)
        assert written.keys() < left.keys() and len(left) == len(written) + 2 * len(NAMESPACES)
    newest = await saver.aget_tuple(at())
    assert newest is not None and id_of(newest.config) in written
    for checkpoint_id, (messages, writes) in written.items():
        if checkpoint_id in left:  # What was put before the cursor came by was pruned as any other.
            values, _, pending = left[checkpoint_id]
            assert (values["messages"], pending) == (messages, writes)
    parents = {id_of(parent) for _, parent, _ in left.values() if parent}
    assert parents <= left.keys()


@pytest.mark.parametrize("how", ["prune", "forget"])
async def test_every_step_may_be_made_twice(saver: RedisSaver, how: str) -> None:
    """A connection lost after a step was made and before its reply came has it made again."""
    await fill(saver)
    await saver.acopy_thread(T, "acme/t2")
    await Stepwise(saver, operation(saver, how)).finish()
    expected = await content(saver)
    await saver.acopy_thread("acme/t2", T)
    await Stepwise(saver, operation(saver, how), times=2).finish()
    assert await content(saver) == expected and len(expected) >= len(NAMESPACES)


@pytest.mark.parametrize("how", ["prune", "forget"])
async def test_one_that_was_given_up_leaves_the_thread_as_it_was(
    client: Redis, saver: RedisSaver, how: str
) -> None:
    """Nothing is gone, what was built expires, and until then another one is refused."""
    steps = await fill(saver)
    given_up = Stepwise(saver, operation(saver, how))
    for _ in range(3):
        assert await given_up.step()
    await saver.aput_writes(await steps.put(x=1), [("x", 1)], "task")
    before = await content(saver)
    with pytest.raises(ThreadBusy):
        await saver.aprune([T])
    assert await content(saver) == before
    left_ms = [await client.pttl(key) for key in BUILT if await client.exists(key)]
    assert left_ms and all(0 < ms <= 60_000 for ms in left_ms)
    for key in BUILT:
        await client.delete(key)
    after = await finished(saver, how)
    assert after and len(after) < len(before)
    assert not await client.exists(*BUILT)


async def test_what_is_deleted_meanwhile_does_not_come_back(client: Redis, saver: RedisSaver) -> None:
    """The compaction finds that it was ended, and says so."""
    await fill(saver)
    compaction = Stepwise(saver, operation(saver, "prune"))
    await compaction.step()
    await saver.adelete_thread(T)
    with pytest.raises(ThreadBusy):
        await compaction.finish()
    assert not await client.exists(*KEPT, *BUILT) and await saver.aget_tuple(at()) is None


async def test_two_at_once_do_no_harm(saver: RedisSaver) -> None:
    """One of them is refused, or comes after the other."""
    await fill(saver)
    refused = []

    async def prune() -> None:
        try:
            await saver.aprune([T])
        except ThreadBusy as exc:
            refused.append(exc)

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(prune)
    assert len(refused) < 3 and len(await content(saver)) == len(NAMESPACES)


async def test_a_long_delta_chain_is_kept_over_several_steps(saver: RedisSaver) -> None:
    """The walk to a channel's last snapshot stops where the step's work is done, and goes on from there."""
    steps = Steps(saver)
    await steps.put(log="snapshot " * 20)
    del steps.values["log"]
    for turn in range(300):
        steps.versions["log"] = f"{turn + 10:08x}"
        await steps.put({"counters_since_delta_snapshot": {"log": (turn, turn)}}, turn=turn)
        await saver.aput_writes(steps.config, [("log", turn)], "task")
    whole = await saver.aget_delta_channel_history(config=at(), channels=["log"])
    await saver.aprune([T])
    assert await saver.aget_delta_channel_history(config=at(), channels=["log"]) == whole
    assert [value for _, _, value in whole["log"]["writes"]] == list(range(299))


async def test_no_step_is_long(client: Redis, saver: RedisSaver) -> None:
    """A thread of many checkpoints takes many short scripts, whatever their shape: many runs, many calls."""
    for number in range(400):
        steps = Steps(saver, namespace=f"call:{number}", run_id=f"r{number}")
        await steps.put(x="x" * 100)
    before = await scripts(client)
    await saver.aprune([T])
    assert await scripts(client) - before > 10
    await saver.adelete_thread(T)
    assert await client.keys("*") == []


async def scripts(client: Redis) -> int:
    """How many have been run."""
    stats: dict[str, Any] = await client.info("commandstats")
    nodes = [one for one in stats.values() if "cmdstat_evalsha" in one] or [stats]
    return sum(int(node["cmdstat_evalsha"]["calls"]) for node in nodes)


@pytest.fixture(autouse=True)
async def nothing_is_left_behind(client: Redis) -> AsyncIterator[None]:
    """What a removal took away is gone for good once it is over."""
    yield
    assert not await client.keys("*}:x*")
