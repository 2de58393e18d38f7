"""LangGraph's checkpoints on a plain Redis: each read and write is one script on the thread's slot.

How they are stored, and why that is sound: docs/explanation/checkpoints.md.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
)
from langgraph.checkpoint.serde.base import SerializerProtocol
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from redis.asyncio import Redis, RedisCluster

from runtime import checkpoint_copying, checkpoint_reading, checkpoint_removal, checkpoint_writing
from runtime.checkpoint_bytes import Codec
from runtime.checkpoint_known import Known
from runtime.checkpoint_listing import ALL_THREADS, pages
from runtime.checkpoint_thread import Setup, Ttl
from runtime.checkpoint_versions import next_version
from runtime.redis_calls import SyncCalls
from runtime.redis_lanes import AsyncCalls
from runtime.redis_sync import sync_client


class RedisSaver(BaseCheckpointSaver[str]):
    """Checkpoints of all threads on one Redis, 6.2 or newer, or a cluster. Needs no setup call.

    Every method raises RedisUnavailable when Redis does not do what it is asked, and CheckpointLost rather
    than return a state of which a part is gone. `put` and `put_writes` raise StaleFence, having written
    nothing, when the counter at `runtime.keys.fence_key(thread_id)` is above the config's `__fence`; without
    one they do not look. `prune`, `delete_for_runs` and `copy_thread` take many short steps; they raise
    ThreadBusy, with the thread as it was, when another of them builds something beside it.
    """

    def __init__(
        self,
        client: Redis | RedisCluster,
        *,
        serde: SerializerProtocol | None = None,
        allowed: Iterable[type | tuple[str, str]] = (),
        digest_key: bytes | None = None,
        ttl_s: Ttl = None,
        known_blocks: int = 200_000,
    ) -> None:
        """`client` serves the event loop of the async methods; the sync ones open connections of their own.

        `serde`: by default LangGraph's, strict: it revives its own safe types and those in `allowed`
        (classes, or pairs of module and name); of any other it gives back the plain content.
        `digest_key`: with LangGraph's EncryptedSerializer, a secret of 16 to 64 bytes that all processes
        share; without it each process stores anew what others have stored.
        `ttl_s`: seconds after its last write that a thread expires.
        `known_blocks`: how many blocks are remembered as stored, at some 100 bytes each.
        """
        super().__init__(serde=serde or JsonPlusSerializer(allowed_msgpack_modules=tuple(allowed)))
        self._digest_key = digest_key or secrets.token_bytes(32)
        self._ttl = ttl_s
        self._known = Known(known_blocks)
        self._in_cluster = isinstance(client, RedisCluster)
        self._calls = AsyncCalls(client)
        self._sync_calls = SyncCalls(partial(sync_client, client))

    def close(self) -> None:
        """Closes the connections of the sync methods; the client is for its owner to close."""
        self._sync_calls.close()

    @property
    def _setup(self) -> Setup:
        # Made anew each time: LangGraph's `with_allowlist` gives a copy of the saver another serializer.
        return Setup(Codec(self.serde, self._digest_key), self._known, self._ttl, self._in_cluster)

    def get_next_version(self, current: str | None, channel: None) -> str:
        """A version above `current`, unlike any other branch's."""
        return next_version(current)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """The checkpoint the config points at, the newest one without an id; None when there is none."""
        return await self._calls.run(checkpoint_reading.get(self._setup, config))

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """The newest first; without a namespace those of all, without a config those of all threads.

        The checkpoints of one listing share objects: they are to be read, not changed. Without a config the
        keys are scanned, which is for operators.
        """
        keys = await self._calls.keys(ALL_THREADS) if config is None else ()
        for page in pages(self._setup, config, keys, filter, before, limit):
            for found in await self._calls.run(page):
                yield found

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Stores a checkpoint; returns the config that leads to it."""
        operation = checkpoint_writing.put(self._setup, config, checkpoint, metadata, new_versions)
        return await self._calls.run(operation)

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Adds a task's writes to a checkpoint, which may still be on its way."""
        await self._calls.run(checkpoint_writing.put_writes(self._setup, config, writes, task_id, task_path))

    async def adelete_thread(self, thread_id: str) -> None:
        """Removes all that the saver holds of a thread."""
        await self._calls.run(checkpoint_removal.delete(self._setup, thread_id))

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Removes what these runs stored, in any thread; with a TTL, runs older than it are not found."""
        await self._calls.run(checkpoint_removal.delete_for_runs(self._setup, run_ids))

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Makes the target hold what the source holds, not what it held. An empty source changes nothing."""
        await self._calls.run(checkpoint_copying.copy(self._setup, source_thread_id, target_thread_id))

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """`keep_latest`: the newest checkpoint of each namespace, with all it needs, and no subgraph call
        that is over. `delete`: nothing is kept. Raises InvalidInput for any other.
        """
        await self._calls.run(checkpoint_removal.prune(self._setup, thread_ids, strategy))

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Each channel's writes along the ancestors, oldest first, and the stored value they begin with."""
        return await self._calls.run(checkpoint_reading.history(self._setup, config, channels))

    async def apin(self, thread_id: str) -> None:
        """Keeps the thread from expiring until it is unpinned."""
        await self._calls.run(checkpoint_removal.pin(self._setup, thread_id, True))

    async def aunpin(self, thread_id: str) -> None:
        """Lets the thread expire again, its time beginning anew."""
        await self._calls.run(checkpoint_removal.pin(self._setup, thread_id, False))

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """As `aget_tuple`."""
        return self._sync_calls.run(checkpoint_reading.get(self._setup, config))

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """As `alist`."""
        keys = self._sync_calls.keys(ALL_THREADS) if config is None else ()
        for page in pages(self._setup, config, keys, filter, before, limit):
            yield from self._sync_calls.run(page)

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """As `aput`."""
        operation = checkpoint_writing.put(self._setup, config, checkpoint, metadata, new_versions)
        return self._sync_calls.run(operation)

    def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """As `aput_writes`."""
        self._sync_calls.run(checkpoint_writing.put_writes(self._setup, config, writes, task_id, task_path))

    def delete_thread(self, thread_id: str) -> None:
        """As `adelete_thread`."""
        self._sync_calls.run(checkpoint_removal.delete(self._setup, thread_id))

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """As `adelete_for_runs`."""
        self._sync_calls.run(checkpoint_removal.delete_for_runs(self._setup, run_ids))

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """As `acopy_thread`."""
        self._sync_calls.run(checkpoint_copying.copy(self._setup, source_thread_id, target_thread_id))

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """As `aprune`."""
        self._sync_calls.run(checkpoint_removal.prune(self._setup, thread_ids, strategy))

    def get_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """As `aget_delta_channel_history`."""
        return self._sync_calls.run(checkpoint_reading.history(self._setup, config, channels))

    def pin(self, thread_id: str) -> None:
        """As `apin`."""
        self._sync_calls.run(checkpoint_removal.pin(self._setup, thread_id, True))

    def unpin(self, thread_id: str) -> None:
        """As `aunpin`."""
        self._sync_calls.run(checkpoint_removal.pin(self._setup, thread_id, False))
