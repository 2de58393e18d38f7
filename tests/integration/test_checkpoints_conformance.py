"""LangGraph's own conformance suite for checkpointers, on a real plain Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer

from runtime.checkpoints import RedisSaver
from runtime.embedded_redis import embedded_redis
from runtime.redis import connect
from tests.checkpointing import KeyStream

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "encrypted"])
async def test_every_capability_passes(tmp_path: Path, encrypted: bool) -> None:
    """All that LangGraph may ask of a saver: base and extended capabilities, none undetected."""
    serde = EncryptedSerializer(KeyStream()) if encrypted else None
    async with embedded_redis(tmp_path) as socket, connect(f"unix://{socket}") as client:

        @checkpointer_test(name=f"RedisSaver encrypted={encrypted}")
        async def savers() -> AsyncIterator[RedisSaver]:
            await client.flushdb()
            yield RedisSaver(client, serde=serde)

        report = await validate(savers)
    failures = {name: result.failures for name, result in report.results.items() if result.failures}
    assert failures == {}
    assert [name for name, result in report.results.items() if not result.passed] == []
