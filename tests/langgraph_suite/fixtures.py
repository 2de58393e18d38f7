"""Takes the place of the conftest.py of LangGraph's own tests: all of it, but with our saver as the only one.

Each worker of pytest-xdist has a server of its own, and each test an empty one. CHECKPOINT_SERVERS holds the
URLs, CHECKPOINT_MODE one of `plain`, `strict` and `encrypted`.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator

import pytest
import redis
from langgraph.checkpoint.serde.base import SerializerProtocol
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from redis.asyncio import Redis, RedisCluster

from runtime.checkpoints import RedisSaver
from tests.conftest_upstream import *  # type: ignore[import-untyped]  # noqa: F403  # its own, renamed

_MODE = os.environ["CHECKPOINT_MODE"]
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_URL = os.environ["CHECKPOINT_SERVERS"].split()[_WORKER]
_AES_KEY, _DIGEST_KEY = b"sixteen bytes...", b"a key for the digests of content"


def _serde() -> SerializerProtocol | None:
    if _MODE == "strict":
        return None  # Our default is strict.
    if _MODE == "encrypted":
        return EncryptedSerializer.from_pycryptodome_aes(key=_AES_KEY)
    return JsonPlusSerializer()


def _client() -> Redis | RedisCluster:
    """A new one for each test, since each has an event loop of its own."""
    return Redis.from_url(_URL) if _URL.startswith("unix:") else RedisCluster.from_url(_URL)


@pytest.fixture
def empty_server() -> None:
    flushed = redis.Redis if _URL.startswith("unix:") else redis.RedisCluster
    with flushed.from_url(_URL) as client:
        client.flushall()


@pytest.fixture(params=["ours"])
def sync_checkpointer(empty_server: None) -> Iterator[RedisSaver]:
    saver = RedisSaver(_client(), serde=_serde(), digest_key=_DIGEST_KEY)
    # Some tests watch the clock, and a cluster's client first asks all nodes for their slots.
    saver.get_tuple({"configurable": {"thread_id": "1"}})
    yield saver
    saver.close()


@pytest.fixture(params=["ours"])
async def async_checkpointer(empty_server: None) -> AsyncIterator[RedisSaver]:
    async with _client() as client:
        saver = RedisSaver(client, serde=_serde(), digest_key=_DIGEST_KEY)
        await saver.aget_tuple({"configurable": {"thread_id": "1"}})
        yield saver
        saver.close()
