"""What the store asks of an index of its items, in namespaces, keys, versions and texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

Namespace = tuple[str, ...]


class Entry(NamedTuple):
    """One version of an item, by name."""

    namespace: Namespace
    """At least one label; the first one is the tenant, whom every search is bound to."""
    key: str
    version: int
    """The item's `updated_at` in µs since 1970; it grows with every put of the item."""


class IndexedItem(NamedTuple):
    """An entry and what it is to be found by."""

    entry: Entry
    texts: tuple[str, ...]
    """Of the fields chosen; at least one."""


class Candidate(NamedTuple):
    """An entry that a search found."""

    entry: Entry
    score: float
    """Higher is better; comparable within one search only."""


class ItemIndex(Protocol):
    """Finds items by their texts. Each method waits its turn for a limited time; raises KnowledgeUnavailable.

    It may lag behind the store or miss entries: the store checks each candidate's version.
    """

    async def put(self, items: Sequence[IndexedItem]) -> None:
        """Each takes the place of the item's older entry; where there is a newer one, it is left out."""
        ...

    async def drop(self, entries: Sequence[Entry]) -> None:
        """Forgets these versions and older ones of the items; newer entries stay."""
        ...

    async def search(self, namespace_prefix: Namespace, query: str, limit: int) -> list[Candidate]:
        """At most `limit` entries whose namespace begins with these labels, of which there is at least one.

        Best first; equal scores always in the same order, though which of those at the border come is open.
        """
        ...
