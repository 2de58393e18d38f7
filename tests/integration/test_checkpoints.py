"""The checkpointer on a real Redis: what LangGraph's own suites do not ask."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
import redis.asyncio as aredis
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.base import CheckpointTuple
from langgraph.checkpoint.serde.types import ERROR
from langgraph.types import Command, Interrupt, Send
from redis.asyncio import Redis

from runtime.checkpoints import RedisSaver
from runtime.errors import InvalidInput
from tests.checkpointing import Steps, T, at, history, id_of

pytestmark = pytest.mark.anyio


class Colour(enum.Enum):
    RED = "red"


@dataclass(frozen=True)
class Note:
    text: str


@pytest.fixture
def client(any_client: Redis) -> Redis:
    return any_client


async def found(saver: RedisSaver, **asked: Any) -> list[CheckpointTuple]:
    return [one async for one in saver.alist(**asked)]


async def latest(saver: RedisSaver, thread: str = T, namespace: str = "") -> CheckpointTuple:
    newest = await saver.aget_tuple(at(thread, namespace))
    assert newest is not None
    return newest


async def test_values_come_back_as_they_were(saver: RedisSaver) -> None:
    """What LangGraph and its users keep in state survives the strict serializer, split or whole."""
    values: dict[str, Any] = {
        "messages": history(20),
        "send": Send("node", {"x": 1}),
        "interrupt": Interrupt("why?", id="i1"),
        "command": Command(goto="node", update={"x": [1]}),
        "when": dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
        "id": uuid.UUID(int=7),
        "set": {1, 2, 3},
        "nested": {"list": [HumanMessage("x" * 100, id=str(i)) for i in range(30)], "deep": {"a": [1, None]}},
        "numbers": list(range(100)),
        "texts": ["line of a transcript that is long enough to be split " + str(i) for i in range(100)],
        "bytes": b"\0\xff" * 100,
        "empty": [[], {}, "", None, 0, False],
        "text": "多" * 200,
    }
    await Steps(saver).put(**values)
    assert (await latest(saver)).checkpoint["channel_values"] == values


async def test_an_applications_own_types_need_to_be_allowed(client: Redis) -> None:
    """Strict by default: without `allowed` a dataclass comes back as its fields and an enum as its value."""
    await Steps(RedisSaver(client)).put(note=Note("n"), colour=Colour.RED)
    plain = await latest(RedisSaver(client))
    assert plain.checkpoint["channel_values"] == {"note": {"text": "n"}, "colour": "red"}
    allowing = RedisSaver(client, allowed=[Note, (Colour.__module__, "Colour")])
    assert (await latest(allowing)).checkpoint["channel_values"] == {"note": Note("n"), "colour": Colour.RED}
    derived = RedisSaver(client).with_allowlist([(Note.__module__, "Note")])
    tuple_ = await derived.aget_tuple(at())
    assert tuple_ is not None and tuple_.checkpoint["channel_values"]["note"] == Note("n")


async def test_a_checkpoint_carries_values_that_no_checkpoint_before_it_stored(saver: RedisSaver) -> None:
    """A value is in the checkpoint, so it is in what is read, whoever should have stored it."""
    steps = Steps(saver)
    steps.values, steps.versions = {"old": history(1)}, {"old": "0001"}
    await steps.put(new="n")
    assert (await latest(saver)).checkpoint["channel_values"] == {"old": history(1), "new": "n"}


async def test_versions_of_other_savers_come_back_unchanged(saver: RedisSaver) -> None:
    """Integers and floats in `channel_versions` are not turned into text."""
    steps = Steps(saver)
    checkpoint = steps.checkpoint()
    checkpoint["channel_versions"] = {"a": 3, "b": -1.5, "c": "00000001.x", "d": 1e300}
    checkpoint["channel_values"] = {"a": [1], "b": "b" * 200, "c": None}
    await saver.aput(steps.config, checkpoint, {}, checkpoint["channel_versions"])
    stored = await latest(saver)
    assert stored.checkpoint["channel_versions"] == checkpoint["channel_versions"]
    assert stored.checkpoint["channel_values"] == checkpoint["channel_values"]


async def test_writes_keep_their_slots_and_their_order(saver: RedisSaver) -> None:
    """Writes come back by task path; a slot keeps its first write, an error or interrupt its last."""
    config = await Steps(saver).put(x=1)
    await saver.aput_writes(config, [("late", 1), (ERROR, "first")], "task-a", "~2")
    await saver.aput_writes(config, [("late", 2), (ERROR, "second")], "task-a", "~2")
    await saver.aput_writes(config, [("early", history(1))], "task-b", "~1")
    writes = (await latest(saver)).pending_writes
    assert writes == [
        ("task-b", "early", history(1)),
        ("task-a", ERROR, "second"),
        ("task-a", "late", 1),
    ]


async def test_writes_may_come_before_their_checkpoint(saver: RedisSaver) -> None:
    """With durability `async` nothing keeps the two in order, and pruning in between loses nothing."""
    await Steps(saver, run_id="gone").put(x=0)
    steps = Steps(saver)
    await steps.put(x=1)
    coming = steps.checkpoint()
    ahead = at(checkpoint_id=coming["id"])
    await saver.aput_writes(ahead, [("y", history(2))], "task")
    await saver.aput_writes(at(namespace="sub:1", checkpoint_id="0"), [("z", history(2))], "task")
    await saver.adelete_for_runs(["gone"])
    await saver.aprune([T])
    await saver.aput(steps.config, coming, {}, {})
    assert (await latest(saver)).pending_writes == [("task", "y", history(2))]
    await saver.aput(at(namespace="sub:1"), {**coming, "id": "0"}, {}, {})
    assert (await latest(saver, namespace="sub:1")).pending_writes == [("task", "z", history(2))]


async def test_before_is_a_bound_that_may_come_from_another_namespace(saver: RedisSaver) -> None:
    """Replaying a subgraph asks for what was before a checkpoint of its parent."""
    inner, outer = Steps(saver, namespace="sub:1"), Steps(saver)
    first = await inner.put(x=1)
    bound = await outer.put(x=1)
    await inner.put(x=2)
    listed = await found(saver, config=at(namespace="sub:1"), before=bound)
    assert [id_of(one.config) for one in listed] == [id_of(first)]


async def test_listing_filters_by_metadata_before_it_limits(saver: RedisSaver) -> None:
    """The limit counts matches, also beyond the first page of a reply."""
    steps = Steps(saver)
    for i in range(150):
        await steps.put({"odd": i % 2 == 1}, x=i)
    listed = await found(saver, config=at(), filter={"odd": True}, limit=70)
    assert [one.checkpoint["channel_values"]["x"] for one in listed] == list(range(149, 9, -2))
    everything = await found(saver, config=at())
    assert [one.checkpoint["channel_values"]["x"] for one in everything] == list(range(149, -1, -1))
    assert await found(saver, config=at(), limit=0) == []


async def test_listing_spans_namespaces_and_threads(saver: RedisSaver) -> None:
    """Without a namespace all are listed, without a config all threads, always the newest first."""
    made = []
    for thread, namespace in ((T, ""), (T, "a:1"), (T, "a:1|b"), ("other/{%}:c", "")):
        made.append(await Steps(saver, thread, namespace).put(x=1))
    ids = [id_of(config) for config in made]
    of_thread = await found(saver, config=at(namespace=None))
    assert [id_of(one.config) for one in of_thread] == ids[2::-1]
    everything = await found(saver, config=None)
    assert [one.config for one in everything] == made[::-1]
    assert [id_of(one.config) for one in await found(saver, config=None, limit=2)] == ids[:1:-1]
    one = await found(saver, config=at(namespace=None, checkpoint_id=ids[1]))
    assert [id_of(found_.config) for found_ in one] == [ids[1]]


async def test_ids_that_cannot_be_keys_are_refused(saver: RedisSaver) -> None:
    """A zero byte would reach into another checkpoint's range."""
    for thread in ("a\0b", "\ud800"):
        with pytest.raises(InvalidInput):
            await saver.aget_tuple(at(thread))


async def test_the_sync_methods_do_the_same(saver: RedisSaver) -> None:
    """They share all but the connection with the async ones."""
    steps = Steps(saver, run_id="r1")
    config = await steps.put(x=history(3))
    saver.put_writes(config, [("y", 1)], "task")
    assert saver.get_tuple(at()) == await saver.aget_tuple(at())
    following = steps.checkpoint()
    stored = saver.put(steps.config, following, {"step": 2}, {})
    assert [id_of(one.config) for one in saver.list(at())] == [following["id"], id_of(config)]
    saver.copy_thread(T, "acme/t2")
    saver.prune([T])
    assert [id_of(one.config) for one in saver.list(at())] == [id_of(stored)]
    saver.delete_for_runs(["r1"])
    assert saver.get_tuple(at()) is None and saver.get_tuple(at("acme/t2")) is None
    await steps.put(x=1)
    saver.delete_thread(T)
    assert saver.get_tuple(at()) is None
    assert saver.get_delta_channel_history(config=at(), channels=["x"]) == {"x": {"writes": []}}
    saver.close()


async def test_a_client_that_decodes_replies_may_be_given(redis_url: str) -> None:
    """The bytes of checkpoints are never taken for text."""
    async with aredis.Redis.from_url(redis_url, decode_responses=True) as decoding:
        saver = RedisSaver(decoding)
        await Steps(saver).put(x=history(20))
        assert (await latest(saver)).checkpoint["channel_values"] == {"x": history(20)}
        assert len(await found(saver, config=None)) == 1


async def test_bytes_grow_with_what_is_new(client: Redis, saver: RedisSaver) -> None:
    """Twice the turns take about twice the bytes, although each checkpoint holds the whole history."""
    steps, sizes = Steps(saver), []
    for turns in range(1, 201):
        await steps.put(messages=history(turns))
        if turns in (100, 200):
            keys = ["{acme/t1}:c", "{acme/t1}:b"]
            sizes.append(sum([await client.memory_usage(key, samples=0) or 0 for key in keys]))
    assert sizes[1] < 2.3 * sizes[0]
    assert sizes[1] < 600_000  # Whole, they would take 10 MB.
    assert (await latest(saver)).checkpoint["channel_values"] == {"messages": history(200)}


async def test_only_what_is_new_is_sent(client: Redis, saver: RedisSaver) -> None:
    """A saver that knows the history sends a checkpoint of constant size."""
    steps = Steps(saver)
    await steps.put(messages=history(100))
    before = await client.info("stats")
    await steps.put(messages=history(101))
    after = await client.info("stats")
    assert after["total_net_input_bytes"] - before["total_net_input_bytes"] < 6_000
