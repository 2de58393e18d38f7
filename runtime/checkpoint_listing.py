"""Listing checkpoints page by page, the newest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import CheckpointTuple, get_checkpoint_id

from runtime.checkpoint_reading import as_tuple, find
from runtime.checkpoint_records import checkpoint_prefix
from runtime.checkpoint_thread import Setup, Spot, checked, read, spot, thread_of, thread_script
from runtime.checkpoint_values import Decoder
from runtime.redis_calls import Operation, ask

_PAGE = 64
"""Checkpoints in one reply."""
ALL_THREADS = "{*}:c"
"""What the keys of all threads' checkpoints look like."""

Found = list[CheckpointTuple]


class _Listing:
    """The checkpoints of one namespace, or the one with an id, before another."""

    def __init__(self, at: Spot, filter: Mapping[str, Any], before: str, room: int | None) -> None:
        self.over = room is not None and room <= 0
        self._at = at
        self._filter = filter
        self._room = room
        self._newest = _newest(at, before)
        self._memo: dict[bytes, list[Any]] = {}
        """Each block is decoded once; the checkpoints of one listing share its objects."""

    def page(self, setup: Setup) -> Operation[Found]:
        """Those of the next page that match. `over` is then true when there is no more to read."""
        size = _PAGE if self._room is None or self._filter else min(_PAGE, self._room)
        reply = yield from read(thread_script("page", self._at.thread, self._newest, _oldest(self._at), size))
        members, fields, values, logs, names, blocks = reply
        stored = dict(zip(fields, values, strict=True))
        decoder = Decoder(setup.codec, dict(zip(names, blocks, strict=True)), self._memo)
        found: Found = []
        for member, log in zip(members, logs, strict=True):
            one = find(setup.codec, member)
            if len(found) != self._room and _matches(self._filter, one.body.metadata):
                found.append(as_tuple(self._at.thread, one, stored, log, decoder))
        self._advance(members, size, len(found))
        return found

    def _advance(self, members: list[bytes], size: int, found: int) -> None:
        if self._room is not None:
            self._room -= found
        self.over = len(members) < size or self._room == 0
        if not self.over:
            self._newest = b"(" + members[-1]


def pages(
    setup: Setup,
    config: RunnableConfig | None,
    keys: Iterable[str],
    filter: Mapping[str, Any] | None,
    before: RunnableConfig | None,
    limit: int | None,
) -> Iterator[Operation[Found]]:
    """Operations to run one after the other, each to its end before the next is asked for.

    `keys`: those that match ALL_THREADS, to list all threads; not looked at with a config.
    """
    until = checked((before and get_checkpoint_id(before)) or "")
    if config is None:
        spots = [Spot(thread, "", "", "") for key in keys if (thread := thread_of(key)) is not None]
        yield _list_all(setup, spots, filter or {}, until, limit)
    elif config["configurable"].get("checkpoint_ns") is None:
        yield _list_all(setup, [spot(config)], filter or {}, until, limit)
    else:
        listing = _Listing(spot(config), filter or {}, until, limit)
        while not listing.over:
            yield listing.page(setup)


def _list_all(
    setup: Setup, spots: Iterable[Spot], filter: Mapping[str, Any], before: str, limit: int | None
) -> Operation[Found]:
    """Of all namespaces of these threads."""
    found: Found = []
    for at in spots:
        for namespace in (yield from ask(thread_script("namespaces", at.thread))):
            listing = _Listing(at._replace(namespace=namespace.decode()), filter, before, limit)
            while not listing.over:
                found += yield from listing.page(setup)
    found.sort(key=lambda one: one.checkpoint["id"], reverse=True)
    return found[:limit]


def _newest(at: Spot, before: str) -> bytes:
    bounds = [at.namespace.encode() + b"\1"]
    if at.checkpoint_id:
        bounds.append(checkpoint_prefix(at.namespace, at.checkpoint_id) + b"\1")
    if before:
        bounds.append(checkpoint_prefix(at.namespace, before) + b"\0")
    return b"(" + min(bounds)


def _oldest(at: Spot) -> bytes:
    return b"[" + checkpoint_prefix(at.namespace, at.checkpoint_id) + (b"\0" if at.checkpoint_id else b"")


def _matches(filter: Mapping[str, Any], metadata: Mapping[str, Any]) -> bool:
    return all(metadata.get(key) == value for key, value in filter.items())
