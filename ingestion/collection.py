"""Collections: each holds the points of one embedding profile; one of them is current."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pydantic import TypeAdapter

from ingestion.chunk import digest
from ingestion.index import Index
from ingestion.shown import Shown
from ingestion.vectors import Profile
from ingestion.versions import Versions

_PROFILE = TypeAdapter(Profile)
_FORM = "1"
"""Of the payload. Raised when it changes: what has another form is left where it is, and filled anew."""


@dataclass(frozen=True)
class Collection:
    """One that is open."""

    name: str
    index: Index
    versions: Versions
    """For changes."""
    shown: Shown
    """For reading."""


class Collections(Protocol):
    """Those of an installation. All methods raise KnowledgeUnavailable."""

    async def current(self, *, fresh: bool = False) -> Collection:
        """The one that is searched and written.

        `fresh`, for those who write: as it is now, and not as it was up to some seconds ago.
        """
        ...

    async def names(self) -> list[str]:
        """All that there are, the current one among them."""
        ...

    async def open(self, name: str, profile: Profile) -> Collection:
        """That one, created where there is none; it may be open already. Raises ProfileMismatch."""
        ...

    async def kept(self, name: str) -> Collection:
        """One that exists, opened. Raises InvalidInput where it does not."""
        ...

    async def switch(self, name: str) -> None:
        """Makes an open one current, in one step."""
        ...

    async def drop(self, name: str) -> None:
        """Deletes one that is not current. Raises InvalidInput."""
        ...


def collection_name(embedder: str, profile: Profile) -> str:
    """`bge-m3-1f0c9a3e`: of an embedder as it is configured; another model, size or vector has another."""
    return f"{embedder}-{digest(_FORM, _PROFILE.dump_json(profile).decode())[:8]}"


def is_restored(collection: str) -> bool:
    """Whether `restored_name` made it."""
    return original_name(collection) != collection


def embedder_of(collection: str) -> str:
    """The name of the embedder that a collection was made for."""
    return original_name(collection).rpartition("-")[0]


def restored_name(collection: str, at: datetime) -> str:
    """`bge-m3-1f0c9a3e~20261122T031500123456`: of one that holds what a backup of the collection held."""
    return f"{original_name(collection)}~{at:%Y%m%dT%H%M%S%f}"


def original_name(collection: str) -> str:
    """Without what `restored_name` adds."""
    return collection.partition("~")[0]
