"""A thread that steps on, for the tests of the checkpointer."""

from __future__ import annotations

import hashlib
import os
from typing import Any, cast

from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, ChannelVersions, Checkpoint, CheckpointMetadata
from langgraph.checkpoint.base.id import uuid6
from langgraph.checkpoint.serde.base import CipherProtocol

from runtime.checkpoints import RedisSaver
from runtime.redis_calls import Operation
from runtime.redis_lanes import AsyncCalls

T = "acme/t1"


def at(thread: str = T, namespace: str | None = "", checkpoint_id: str = "", **more: Any) -> RunnableConfig:
    """A config; `more` goes into its configurable part."""
    place: dict[str, Any] = {"thread_id": thread, **more}
    if namespace is not None:
        place["checkpoint_ns"] = namespace
    if checkpoint_id:
        place["checkpoint_id"] = checkpoint_id
    return {"configurable": place}


def id_of(config: RunnableConfig) -> str:
    return str(config["configurable"]["checkpoint_id"])


class Steps:
    """Puts one checkpoint after the other, as the loop of a graph does."""

    def __init__(
        self, saver: BaseCheckpointSaver[str], thread: str = T, namespace: str = "", **more: Any
    ) -> None:
        self.saver = saver
        self.config = at(thread, namespace, **more)
        self.values: dict[str, Any] = {}
        self.versions: dict[str, Any] = {}
        self.steps = 0

    async def put(self, metadata: dict[str, Any] | None = None, **values: Any) -> RunnableConfig:
        """The next checkpoint, with `values` changed; returns what the saver returned."""
        new: ChannelVersions = {
            name: self.saver.get_next_version(self.versions.get(name), None) for name in values
        }
        self.values |= values
        self.versions |= new
        checkpoint = self.checkpoint()
        full = cast(CheckpointMetadata, {"source": "loop", "step": self.steps, **(metadata or {})})
        stored = await self.saver.aput(self.config, checkpoint, full, new)
        self.steps += 1
        self.config = {"configurable": {**self.config["configurable"], **stored["configurable"]}}
        return stored

    def checkpoint(self) -> Checkpoint:
        return {
            "v": 4,
            "id": str(uuid6(clock_seq=self.steps)),
            "ts": "2026-01-01T00:00:00+00:00",
            "channel_values": dict(self.values),
            "channel_versions": dict(self.versions),
            "versions_seen": {"node": dict(self.versions)},
            "updated_channels": None,
        }


def history(turns: int) -> list[HumanMessage | AIMessage]:
    """Messages of about 250 bytes, always the same ones."""
    text = [hashlib.sha256(str(i).encode()).hexdigest() * 3 for i in range(turns * 2)]
    return [
        HumanMessage(said, id=str(i)) if i % 2 == 0 else AIMessage(said, id=str(i))
        for i, said in enumerate(text)
    ]


async def content(saver: RedisSaver, thread: str = T) -> dict[str, Any]:
    """Each checkpoint's state, parent and writes; raises if one has lost a part."""
    return {
        id_of(one.config): (one.checkpoint["channel_values"], one.parent_config, one.pending_writes)
        async for one in saver.alist(at(thread, namespace=None))
    }


class Stepwise:
    """An operation of the saver's, one round trip at a time."""

    def __init__(self, saver: RedisSaver, operation: Operation[None], *, times: int = 1) -> None:
        """`times`: how often each command is sent, as after replies that were lost."""
        self._calls = AsyncCalls(saver._calls._client)
        self._operation = operation
        self._times = times
        self._commands = next(operation)

    async def step(self) -> bool:
        """Whether there is more to do."""
        if self._commands:
            for _ in range(self._times):
                replies = await self._calls._execute(self._commands)
            try:
                self._commands = self._operation.send(replies)
            except StopIteration:
                self._commands = []
        return bool(self._commands)

    async def finish(self) -> None:
        while await self.step():
            pass


class KeyStream(CipherProtocol):
    """Bytes xor a keyed stream from a random nonce: like a real cipher, never twice the same text."""

    def encrypt(self, plaintext: bytes) -> tuple[str, bytes]:
        nonce = os.urandom(16)
        return "test", nonce + self._mix(nonce, plaintext)

    def decrypt(self, ciphername: str, ciphertext: bytes) -> bytes:
        assert ciphername == "test"
        return self._mix(ciphertext[:16], ciphertext[16:])

    def _mix(self, nonce: bytes, data: bytes) -> bytes:
        stream = hashlib.shake_128(b"key" + nonce).digest(len(data))
        return bytes(a ^ b for a, b in zip(data, stream, strict=True))
