"""LangGraph's store for long-term memory, on the same plain Redis as the checkpoints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from langgraph.store.base import BaseStore, Op, Result, TTLConfig, validate_op_namespace
from redis.asyncio import Redis, RedisCluster

from runtime.errors import NotSupported
from runtime.redis_calls import SyncCalls
from runtime.redis_lanes import AsyncCalls
from runtime.redis_sync import sync_client
from runtime.store_index import ItemIndex
from runtime.store_operations import execute
from runtime.store_ranked import follow, is_indexed, is_ranked, search_ranked


class RedisStore(BaseStore):
    """Items by namespace and key; values are JSON objects. Needs no setup call.

    `search` goes through a namespace and those below it in the order of namespaces and keys, applies the
    filter, and stops at `limit`. With an index, a `query` ranks instead: the items that the index finds for
    it, as they are in Redis, best first, with `score`; what the index does not find is no result. Without one
    a `query` has no effect. Expired items are never returned.

    Raises RedisUnavailable, and InvalidInput for a value that is no JSON or a query without a namespace.
    KnowledgeUnavailable is for a search by query, and for a put or delete that Redis has done and the index
    could not be told of: the item is not found by query, or its entry is stale, until it is put again.
    """

    supports_ttl = True

    def __init__(
        self,
        client: Redis | RedisCluster,
        *,
        ttl: TTLConfig | None = None,
        index: ItemIndex | None = None,
        fields: Sequence[str] = ("$",),
    ) -> None:
        """`client` serves the event loop of the async methods; the sync ones open their own connections.

        `fields`: what `index` finds an item by where its put does not say, as in LangGraph's `IndexConfig`;
        `$` is the whole value as JSON text.
        """
        super().__init__()
        self.ttl_config = ttl
        self._index = index
        self._fields = tuple(fields)
        self._calls = AsyncCalls(client)
        self._sync_calls = SyncCalls(partial(sync_client, client))

    def close(self) -> None:
        """Closes the connections of the sync methods; the client is for its owner to close."""
        self._sync_calls.close()

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """One result for each operation, None for a put. Reads see the store as before the batch's puts."""
        checked = _checked(ops)
        if self._index is None:
            return (await self._calls.run(execute(checked))).results
        ranked: dict[int, Result] = {
            i: await search_ranked(self._calls, self._index, op)
            for i, op in enumerate(checked)
            if is_ranked(op)
        }
        done = await self._calls.run(execute([op for i, op in enumerate(checked) if i not in ranked]))
        await follow(self._index, done.written, self._fields)
        others = iter(done.results)
        return [ranked[i] if i in ranked else next(others) for i in range(len(checked))]

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """As `abatch`, but for what needs the index, which has async methods only.

        With an index, a search by query and a put of a value to be indexed raise NotSupported before anything
        is done. A delete or a put with `index=False` goes through; the entry that it leaves in the index is
        stale, so that no search returns it.
        """
        checked = _checked(ops)
        if self._index is not None and any(is_ranked(op) or is_indexed(op) for op in checked):
            raise NotSupported(
                "the index of items is async: use asearch and aput or abatch, or put with index=False"
            )
        return self._sync_calls.run(execute(checked)).results


def _checked(ops: Iterable[Op]) -> list[Op]:
    checked = list(ops)
    for op in checked:
        validate_op_namespace(op)
    return checked
