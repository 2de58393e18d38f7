"""Copies go page by page: what happens to either thread meanwhile never makes half a copy."""

from __future__ import annotations

from typing import Any

import pytest
from redis.asyncio import Redis

from runtime import checkpoint_copying, checkpoint_removal
from runtime.checkpoints import RedisSaver
from runtime.errors import ThreadBusy
from runtime.redis_calls import Operation
from tests.checkpointing import Steps, Stepwise, T, at, content, history, id_of

pytestmark = pytest.mark.anyio

TARGET = "acme/copy"


async def fill(saver: RedisSaver) -> Steps:
    """Pages of checkpoints, of writes and of blobs."""
    steps = Steps(saver, run_id="r1")
    for number in range(150):
        config = await steps.put(messages=history(number // 5 + 1), state={"n": [f"line {number}" * 9] * 3})
        await saver.aput_writes(config, [("messages", history(40)[number % 70 : number % 70 + 2])], "task")
    return steps


def copying(saver: RedisSaver) -> Operation[None]:
    return checkpoint_copying.copy(saver._setup, T, TARGET)


async def held(saver: RedisSaver, thread: str) -> dict[str, Any]:
    """States and writes; parents name their thread."""
    return {name: (values, writes) for name, (values, _, writes) in (await content(saver, thread)).items()}


async def test_what_is_written_meanwhile_leaves_the_copy_whole(saver: RedisSaver) -> None:
    """All that was there before is in the copy; of the new, what is in it is complete."""
    steps = await fill(saver)
    before, copy = await held(saver, T), Stepwise(saver, copying(saver))
    while await copy.step():
        config = await steps.put(messages=history(40))
        await saver.aput_writes(config, [("messages", history(41)[-2:])], "late")
    after, copied = await held(saver, T), await held(saver, TARGET)
    assert before.keys() <= copied.keys() <= after.keys()
    assert all(copied[name] == state for name, state in before.items())
    assert all(copied[name][0] == after[name][0] for name in copied)


async def test_every_page_may_be_sent_twice(saver: RedisSaver) -> None:
    """A reply that was lost has it sent again."""
    await fill(saver)
    await Steps(saver, TARGET, run_id="gone").put(x=1)
    await Stepwise(saver, copying(saver), times=2).finish()
    assert await held(saver, TARGET) == await held(saver, T)
    await saver.adelete_for_runs(["r1"])
    assert await held(saver, TARGET) == {}


async def test_a_source_that_is_pruned_meanwhile_is_copied_as_it_then_is(saver: RedisSaver) -> None:
    """The pages from before and after do not fit together, so the copy begins anew."""
    await fill(saver)
    copy = Stepwise(saver, copying(saver))
    for _ in range(5):
        assert await copy.step()
    await saver.aprune([T])
    await copy.finish()
    assert await held(saver, TARGET) == await held(saver, T) and len(await held(saver, T)) == 1


async def test_a_source_that_never_stands_still_is_given_up(any_client: Redis, saver: RedisSaver) -> None:
    """With a typed error, in a bounded number of attempts; the target is what it was."""
    steps = await fill(saver)
    await Steps(saver, TARGET).put(x="before")
    copy, turns = Stepwise(saver, copying(saver)), 0
    with pytest.raises(ThreadBusy):
        while await copy.step():
            await steps.put(messages=history(40 + turns))
            await saver.aprune([T])
            turns += 1
    assert turns < 20
    assert [state for state, _ in (await held(saver, TARGET)).values()] == [{"x": "before"}]
    assert all([0 < await any_client.pttl(f"{{{TARGET}}}:{kind}+") <= 60_000 for kind in "cb"])


async def test_a_target_that_is_being_pruned_is_left_alone(saver: RedisSaver) -> None:
    """Two that build beside one thread would spoil each other's work."""
    await fill(saver)
    other = Steps(saver, TARGET)
    for number in range(80):
        await Steps(saver, TARGET, f"call:{number}").put(x="x" * 100)
    stored = await other.put(x=1)
    pruning = Stepwise(saver, checkpoint_removal.prune(saver._setup, [TARGET], "keep_latest"))
    assert await pruning.step()
    with pytest.raises(ThreadBusy):
        await saver.acopy_thread(T, TARGET)
    await pruning.finish()
    newest = await saver.aget_tuple(at(TARGET))
    assert newest is not None and id_of(newest.config) == id_of(stored)
