"""What may cut in between two steps of a compaction, or between two processes: each was once a lost state."""

from __future__ import annotations

from typing import Any

import pytest
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from redis.asyncio import Redis

from runtime import checkpoint_reading, checkpoint_removal
from runtime.checkpoints import RedisSaver
from runtime.errors import CheckpointLost, ThreadBusy
from tests.checkpointing import KeyStream, Steps, Stepwise, T, at, content, history, id_of

pytestmark = pytest.mark.anyio

KEPT = [f"{{acme/t1}}:{kind}" for kind in "cbw"]
BUILT = [f"{key}+" for key in KEPT]


def prune(saver: RedisSaver) -> Stepwise:
    return Stepwise(saver, checkpoint_removal.prune(saver._setup, [T], "keep_latest"))


async def fill(saver: RedisSaver) -> Steps:
    """Steps of work for a prune; returns those of the root."""
    root = Steps(saver, run_id="r1")
    for turns in (10, 20, 30):
        await root.put(messages=history(turns))
    for number in range(60):
        await Steps(saver, namespace=f"call:{number}", run_id="r1").put(messages=history(5))
    return root


async def fill_delta(saver: RedisSaver, steps: Steps, turns: int) -> None:
    """A channel whose value is rebuilt from the writes since its snapshot."""
    for turn in range(turns):
        steps.versions["log"] = f"{steps.steps + 1:08x}"
        counters = {"counters_since_delta_snapshot": {"log": (turn, turn)}} if steps.steps else {}
        if steps.steps:
            await steps.put(counters, turn=steps.steps)
        else:
            await steps.put(counters, log=_DeltaSnapshot(history(1)))
            del steps.values["log"]
        await saver.aput_writes(steps.config, [("log", [steps.steps])], "task")


async def test_two_encodings_of_one_version_are_not_taken_for_each_other(any_client: Redis) -> None:
    """A process that stores a pruned value anew names its blocks otherwise."""
    one, other = (RedisSaver(any_client, serde=EncryptedSerializer(KeyStream())) for _ in range(2))
    steps = Steps(one)
    first = await steps.put(messages=history(20))
    versions = dict(steps.versions)
    await steps.put(messages=history(1))
    await other.aprune([T])
    branches = []
    for saver, changed in ((other, {"x": 1}), (one, {"messages": history(21)})):
        branch = Steps(saver)
        branch.config, branch.versions = first, dict(versions)
        branch.values = {"messages": history(20)}
        branches.append((await branch.put(**changed), branch.values))
    for config, values in branches:
        stored = await RedisSaver(any_client, serde=EncryptedSerializer(KeyStream())).aget_tuple(config)
        assert stored is not None and stored.checkpoint["channel_values"] == values


@pytest.mark.parametrize("back", [1, 2, 4])
async def test_a_failover_takes_a_compaction_back_or_ends_it(
    any_client: Redis, saver: RedisSaver, back: int
) -> None:
    """The replica has seen fewer of its steps: what they carried must be carried again."""
    await fill(saver)
    await saver.acopy_thread(T, "acme/t2")
    await saver.aprune(["acme/t2"])
    compaction = prune(saver)
    for _ in range(back):
        assert await compaction.step()
    seen = {key: await any_client.dump(key) for key in [*KEPT, *BUILT]}
    for _ in range(2):
        assert await compaction.step()
    for key, dump in seen.items():
        await any_client.delete(key)
        if dump is not None:
            await any_client.restore(key, 0, dump)
    await compaction.finish()
    left, expected = await content(saver), await content(saver, "acme/t2")
    assert {name: state for name, (state, _, _) in left.items()} == {
        name: state for name, (state, _, _) in expected.items()
    }


async def test_a_thread_that_expires_meanwhile_stays_gone(any_client: Redis, saver: RedisSaver) -> None:
    """Whether or not it is written to again before the compaction comes to its end."""
    for writes_again in (False, True):
        await fill(saver)
        compaction = prune(saver)
        for _ in range(3):
            assert await compaction.step()
        await any_client.delete(*KEPT)
        config = await Steps(saver).put(x=1) if writes_again else None
        try:
            await compaction.finish()
        except ThreadBusy:
            assert writes_again
        assert list(await content(saver)) == ([id_of(config)] if config else [])
        assert not await any_client.exists(*BUILT)


@pytest.mark.parametrize("ttl_s", [None, 100])
async def test_what_is_left_lives_as_long_as_the_thread_did(any_client: Redis, ttl_s: int | None) -> None:
    """What is built expires within a minute, but no more once it is the thread."""
    saver = RedisSaver(any_client, ttl_s=ttl_s)
    await saver.aput_writes(await (await fill(saver)).put(x=1), [("x", 1)], "task")
    await saver.aprune([T])
    for key in KEPT:
        left_s = await any_client.ttl(key)
        assert left_s == -1 if ttl_s is None else 90 < left_s <= 100


async def test_a_checkpoint_put_again_is_there_once(saver: RedisSaver) -> None:
    """A put whose reply was lost is made again, and its bytes need not be the same."""
    root = await fill(saver)
    compaction = prune(saver)
    for _ in range(3):
        assert await compaction.step()
    checkpoint = root.checkpoint()
    for attempt in (1, 2):
        await saver.aput(root.config, checkpoint, {"step": attempt}, {})
    await compaction.finish()
    again = [one.metadata["step"] async for one in saver.alist(at()) if id_of(one.config) == checkpoint["id"]]
    assert again == [2]


async def test_a_write_before_its_checkpoint_is_kept(saver: RedisSaver) -> None:
    """The write came before the compaction, and its checkpoint after the cursor had gone by."""
    await fill(saver)
    coming = Steps(saver, namespace="a")
    checkpoint = coming.checkpoint()
    ahead = at(namespace="a", checkpoint_id=checkpoint["id"])
    await saver.aput_writes(ahead, [("messages", history(2))], "task")
    compaction = prune(saver)
    for _ in range(3):
        assert await compaction.step()
    await saver.aput(at(namespace="a"), checkpoint, {}, {})
    await compaction.finish()
    stored = await saver.aget_tuple(ahead)
    assert stored is not None and stored.pending_writes == [("task", "messages", history(2))]


async def test_a_branch_that_needs_what_goes_ends_the_compaction(saver: RedisSaver) -> None:
    """Its delta channel is rebuilt from ancestors that a prune would take away under it."""
    root = Steps(saver)
    await fill_delta(saver, root, 6)
    branch_from = root.config
    await fill_delta(saver, root, 6)
    for number in range(60):
        await Steps(saver, namespace=f"call:{number}").put(messages=history(5))
    await root.put(log=_DeltaSnapshot(history(2)))
    compaction = prune(saver)
    for _ in range(3):
        assert await compaction.step()
    branch = Steps(saver)
    branch.config, branch.versions, branch.steps = branch_from, {"log": "00000009"}, 20
    config = await branch.put({"counters_since_delta_snapshot": {"log": (7, 7)}}, turn=1)
    before = await saver.aget_delta_channel_history(config=config, channels=["log"])
    assert len(before["log"]["writes"]) == 6 and "seed" in before["log"]
    with pytest.raises(ThreadBusy):
        await compaction.finish()
    assert await saver.aget_delta_channel_history(config=config, channels=["log"]) == before


async def test_a_history_deleted_while_it_is_read_is_an_error(saver: RedisSaver) -> None:
    """Half of it would be a smaller state."""
    steps = Steps(saver)
    for turn in range(1100):
        await steps.put(turn=turn)
    operation: Any = checkpoint_reading.history(saver._setup, at(), ["log"])
    reading = Stepwise(saver, operation)
    assert await reading.step()
    await saver.adelete_thread(T)
    with pytest.raises(CheckpointLost):
        await reading.finish()


async def test_a_forgotten_run_does_not_cut_later_runs_off(saver: RedisSaver) -> None:
    """Their delta channels are rebuilt from what other runs wrote before it."""
    steps = Steps(saver)
    for run in ("one", "two", "three"):
        steps.config["configurable"]["run_id"] = run
        await fill_delta(saver, steps, 3)
    await saver.adelete_for_runs(["two"])
    found = await saver.aget_delta_channel_history(config=at(), channels=["log"])
    assert [value for _, _, value in found["log"]["writes"]] == [[1], [2], [3], [7], [8]]
    assert found["log"]["seed"] == _DeltaSnapshot(history(1))


@pytest.mark.parametrize("how", ["forget", "delete", "prune"])
async def test_a_run_that_goes_on_meanwhile_can_still_be_forgotten(saver: RedisSaver, how: str) -> None:
    """Between whichever two steps it puts something, its set of threads knows of it afterwards."""
    operations: dict[str, Any] = {
        "forget": lambda: checkpoint_removal.delete_for_runs(saver._setup, ["r1"]),
        "delete": lambda: checkpoint_removal.delete(saver._setup, T),
        "prune": lambda: checkpoint_removal.prune(saver._setup, [T], "keep_latest"),
    }
    for moment in range(8):
        root = await fill(saver)
        removal = Stepwise(saver, operations[how]())
        for _ in range(moment):
            await removal.step()
        await root.put(x=1)
        await removal.finish()
        await saver.adelete_for_runs(["r1"])
        assert not await content(saver)
