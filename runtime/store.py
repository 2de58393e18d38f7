"""LangGraph's store for long-term memory, on the same plain Redis as the checkpoints."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from langgraph.store.base import BaseStore, Op, Result, TTLConfig, validate_op_namespace
from redis.asyncio import Redis, RedisCluster

from runtime.redis_calls import SyncCalls
from runtime.redis_lanes import AsyncCalls
from runtime.redis_sync import sync_client
from runtime.store_operations import execute


class RedisStore(BaseStore):
    """Items by namespace and key; values are JSON objects. Needs no setup call.

    `search` goes through a namespace and those below it in the order of namespaces and keys, applies the
    filter, and stops at `limit`; a `query` has no effect, since there is no vector index here. Expired items
    are never returned. Raises RedisUnavailable, and InvalidInput for a value that is no JSON.
    """

    supports_ttl = True

    def __init__(self, client: Redis | RedisCluster, *, ttl: TTLConfig | None = None) -> None:
        """`client` serves the event loop of the async methods; the sync ones open their own connections."""
        super().__init__()
        self.ttl_config = ttl
        self._calls = AsyncCalls(client)
        self._sync_calls = SyncCalls(partial(sync_client, client))

    def close(self) -> None:
        """Closes the connections of the sync methods; the client is for its owner to close."""
        self._sync_calls.close()

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """One result for each operation, None for a put. Reads see the store as before the batch's puts."""
        return await self._calls.run(execute(_checked(ops)))

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """As `abatch`."""
        return self._sync_calls.run(execute(_checked(ops)))


def _checked(ops: Iterable[Op]) -> list[Op]:
    checked = list(ops)
    for op in checked:
        validate_op_namespace(op)
    return checked
