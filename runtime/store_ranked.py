"""Items ranked by a query: how the store and the index of its items work together.

Redis comes first, then the index, which may therefore lag: a process that dies in between leaves no entry
of a new item, or the old entry of one overwritten or deleted. Neither gives a wrong answer, since an entry
counts only while its version is that of the item in Redis. The other order is not open to us: Redis makes the
version. A missing entry comes with the item's next put; a stale one goes then, or when a search meets it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TypeGuard

import orjson
from langgraph.store.base import Op, PutOp, SearchItem, SearchOp, get_text_at_path

from runtime.errors import InvalidInput, KnowledgeUnavailable
from runtime.redis_lanes import AsyncCalls
from runtime.store_index import Candidate, Entry, IndexedItem, ItemIndex
from runtime.store_operations import Confirmed, Written, confirm, dumps, take

_FIRST = 32
_GROWTH = 4
_MOST = 4_096
"""Candidates looked at for one search; what a filter takes only beyond them is not found."""


def is_ranked(op: Op) -> TypeGuard[SearchOp]:
    """True for a search that the index has to answer; an empty query is none, as in LangGraph's stores."""
    return isinstance(op, SearchOp) and bool(op.query)


def is_indexed(op: Op) -> bool:
    """True for a put that the index has to hear of for the item to be found."""
    return isinstance(op, PutOp) and op.value is not None and op.index is not False


async def search_ranked(calls: AsyncCalls, index: ItemIndex, op: SearchOp) -> list[SearchItem]:
    """Items as they are in Redis, best first, with their scores.

    Raises InvalidInput without a namespace to search under, KnowledgeUnavailable, RedisUnavailable.
    """
    if not op.namespace_prefix:
        raise InvalidInput(f"a search by query needs a namespace to search under; query: {op.query!r}")
    if op.limit < 1:
        return []
    matches, stale = await _confirmed(calls, index, op)
    if stale:
        with suppress(KnowledgeUnavailable):  # The answer does not depend on it; the next search tries again.
            await index.drop(stale)
    return await calls.run(take(op, matches))


async def follow(index: ItemIndex, written: Sequence[Written], fields: Sequence[str]) -> None:
    """Tells the index what Redis has taken. Raises KnowledgeUnavailable."""
    items = [IndexedItem(_entry(one), _texts(one.op, fields)) for one in written if one.op.namespace]
    if found_by := [item for item in items if item.texts]:
        await index.put(found_by)
    if others := [item.entry for item in items if not item.texts]:
        await index.drop(others)


async def _confirmed(calls: AsyncCalls, index: ItemIndex, op: SearchOp) -> Confirmed:
    until = op.offset + op.limit
    wanted = min(max(_FIRST, 2 * until), _MOST)
    while True:
        candidates = await index.search(op.namespace_prefix, op.query or "", wanted)
        is_last = len(candidates) < wanted or wanted == _MOST
        confirmed = await calls.run(confirm(op, candidates if is_last else _whole_ranks(candidates)))
        if is_last or len(confirmed.matches) >= until:
            return confirmed
        wanted = min(wanted * _GROWTH, _MOST)


def _whole_ranks(candidates: Sequence[Candidate]) -> list[Candidate]:
    # Which of equals came in under the limit is chance, and one page must not repeat what another showed.
    return [candidate for candidate in candidates if candidate.score > candidates[-1].score]


def _entry(written: Written) -> Entry:
    return Entry(written.op.namespace, written.op.key, written.version)


def _texts(op: PutOp, fields: Sequence[str]) -> tuple[str, ...]:
    if not is_indexed(op):
        return ()
    value = orjson.loads(dumps(op))  # As it is stored and will be read.
    paths = fields if op.index is None else op.index or ()
    return tuple(text for path in paths for text in get_text_at_path(value, path) if text.strip())
