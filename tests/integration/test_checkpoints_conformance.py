"""LangGraph's own conformance suite for checkpointers, on each kind of plain Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from redis.asyncio import Redis

from runtime.checkpoints import RedisSaver
from tests.checkpointing import KeyStream

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "encrypted"])
async def test_every_capability_passes(any_client: Redis, encrypted: bool) -> None:
    """All that LangGraph may ask of a saver: base and extended capabilities, none undetected."""
    serde = EncryptedSerializer(KeyStream()) if encrypted else None

    @checkpointer_test(name=f"RedisSaver encrypted={encrypted}")
    async def savers() -> AsyncIterator[RedisSaver]:
        await any_client.flushall()
        yield RedisSaver(any_client, serde=serde)

    report = await validate(savers)
    failures = {name: result.failures for name, result in report.results.items() if result.failures}
    assert failures == {}
    assert [name for name, result in report.results.items() if not result.passed] == []
