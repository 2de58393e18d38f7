"""Encryption at rest: nothing readable in Redis, and what is equal is still stored once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from redis.asyncio import Redis

from runtime.checkpoints import RedisSaver
from runtime.errors import CheckpointLost
from tests.checkpointing import KeyStream, Steps, T, at, history

pytestmark = pytest.mark.anyio

KEY = b"k" * 32
SECRET = "confidential"


@pytest.fixture
def client(any_client: Redis) -> Redis:
    return any_client


def encrypting(client: Redis, digest_key: bytes | None = KEY) -> RedisSaver:
    return RedisSaver(client, serde=EncryptedSerializer(KeyStream()), digest_key=digest_key)


async def all_bytes(client: Redis) -> bytes:
    records, log = [await client.zrange(f"{{acme/t1}}:{kind}", 0, -1) for kind in "cw"]
    fields: Mapping[Any, Any] = await client.hgetall("{acme/t1}:b")
    return b"".join([*records, *log, *fields.keys(), *fields.values()])


async def test_nothing_of_the_state_can_be_read(client: Redis) -> None:
    """Not short values in the record, not keys of dicts, not metadata, not writes."""
    saver = encrypting(client)
    steps = Steps(saver)
    await steps.put(
        {"note": SECRET},
        short=SECRET,
        long=SECRET * 100,
        mapping={SECRET: [HumanMessage(SECRET * 10, id=str(i)) for i in range(30)]},
    )
    await saver.aput_writes(steps.config, [("short", SECRET), ("long", SECRET * 50)], "task")
    assert SECRET.encode() not in await all_bytes(client)
    stored = await saver.aget_tuple(at())
    assert stored is not None and stored.checkpoint["channel_values"] == steps.values
    assert stored.metadata["note"] == SECRET  # type: ignore[typeddict-item]  # LangGraph keeps any key
    assert [value for _, _, value in stored.pending_writes or ()] == [SECRET, SECRET * 50]


async def test_processes_with_one_digest_key_share_blocks(client: Redis) -> None:
    """The second process finds each block where the first one put it, although ciphertexts never repeat."""
    first, second = encrypting(client), encrypting(client)
    steps = Steps(first)
    await steps.put(messages=history(60))
    blocks = await client.hlen("{acme/t1}:b")
    steps.saver = second
    await steps.put(messages=history(61))
    assert await client.hlen("{acme/t1}:b") <= blocks + 4
    steps.saver = encrypting(client, b"another key" * 3)
    await steps.put(messages=history(61))
    assert await client.hlen("{acme/t1}:b") > blocks + 10


async def test_encryption_can_be_turned_on_for_threads_that_exist(client: Redis) -> None:
    """What was stored in plain text is read, and shared no more."""
    steps = Steps(RedisSaver(client))
    await steps.put(messages=history(30), other="o" * 300)
    steps.saver = encrypting(client)
    await steps.put(messages=history(31))
    stored = await steps.saver.aget_tuple(at())
    assert stored is not None
    assert stored.checkpoint["channel_values"] == {"messages": history(31), "other": "o" * 300}


async def test_without_the_key_a_typed_error_comes(client: Redis) -> None:
    """Not ciphertext taken for a value."""
    await Steps(encrypting(client)).put(x=1)
    with pytest.raises(CheckpointLost, match="encrypted"):
        await RedisSaver(client).aget_tuple(at(T))
