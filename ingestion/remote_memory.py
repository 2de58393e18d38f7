"""The index of items in a process that does not own it: every call is answered by the owner."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

import structlog

from ingestion.memory import Memory
from ingestion.remote import Call
from runtime.errors import KnowledgeUnavailable
from runtime.store_index import Candidate, Entry, IndexedItem, ItemIndex

log = structlog.get_logger()

Function = Callable[..., Awaitable[Any]]
Row = list[Any]
"""A named tuple as JSON has it."""


class RemoteMemory:
    """The `ItemIndex` of the other processes. Raises KnowledgeUnavailable when no owner answers in time.

    A call given up may still be answered later; versions see to it that it then overwrites nothing newer.
    """

    def __init__(self, call: Call, timeout_s: float) -> None:
        self._call = call
        self._timeout_s = timeout_s

    async def put(self, items: Sequence[IndexedItem]) -> None:
        await self._call("memory_put", self._timeout_s, items=items)

    async def drop(self, entries: Sequence[Entry]) -> None:
        await self._call("memory_drop", self._timeout_s, entries=entries)

    async def search(self, namespace_prefix: tuple[str, ...], query: str, limit: int) -> list[Candidate]:
        asked = {"namespace_prefix": namespace_prefix, "query": query, "limit": limit}
        rows = await self._call("memory_search", self._timeout_s, **asked)
        return [Candidate(_entry(entry), score) for entry, score in rows]


class SharedMemory:
    """The index itself while this process owns it, the way to its owner otherwise."""

    def __init__(self, call: Call, timeout_s: float) -> None:
        self._remote = RemoteMemory(call, timeout_s)
        self._owned: Memory | None = None

    @asynccontextmanager
    async def own(
        self, opening: AbstractAsyncContextManager[Memory]
    ) -> AsyncIterator[Mapping[str, Function]]:
        """Reaches the index itself until the block ends; yields what is to be answered to others.

        That is nothing when the index is damaged, which is logged: the documents beside it are served.
        """
        async with AsyncExitStack() as stack:
            functions: Mapping[str, Function] = {}
            try:
                self._owned = await stack.enter_async_context(opening)
                functions = memory_functions(self._owned)
            except KnowledgeUnavailable as exc:
                log.error("memory.unavailable", reason=str(exc))
            try:
                yield functions
            finally:
                self._owned = None

    @property
    def _current(self) -> ItemIndex:
        return self._owned or self._remote

    async def put(self, items: Sequence[IndexedItem]) -> None:
        await self._current.put(items)

    async def drop(self, entries: Sequence[Entry]) -> None:
        await self._current.drop(entries)

    async def search(self, namespace_prefix: tuple[str, ...], query: str, limit: int) -> list[Candidate]:
        return await self._current.search(namespace_prefix, query, limit)


def memory_functions(memory: Memory) -> Mapping[str, Function]:
    """What the owner answers."""

    async def put(items: list[Row]) -> None:
        await memory.put([IndexedItem(_entry(entry), tuple(texts)) for entry, texts in items])

    async def drop(entries: list[Row]) -> None:
        await memory.drop([_entry(row) for row in entries])

    async def search(namespace_prefix: list[str], query: str, limit: int) -> list[Candidate]:
        return await memory.search(tuple(namespace_prefix), query, limit)

    return {"memory_put": put, "memory_drop": drop, "memory_search": search}


def _entry(row: Row) -> Entry:
    namespace, key, version = row
    return Entry(tuple(namespace), key, version)
