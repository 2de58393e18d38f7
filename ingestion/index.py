"""The contract of an index: points with named vectors, every operation bound to one tenant."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from ingestion.chunk import digest
from ingestion.vectors import Floats, Profile, Vectors
from ingestion.within import Within


class Fields(NamedTuple):
    """Fields of the payload, beside the tenant, that points are found by."""

    keywords: tuple[str, ...]
    integers: tuple[str, ...] = ()
    days: tuple[str, ...] = ()


class Put(NamedTuple):
    """A point to write: a child of a document, or an item of the store."""

    id: str
    vectors: Vectors
    payload: dict[str, Any]


class Hit(NamedTuple):
    """A point that matched."""

    score: float
    payload: dict[str, Any]
    id: UUID | int | str = ""
    """The engine's."""


@dataclass(frozen=True)
class Asked:
    """What is searched for."""

    vectors: Vectors
    """Those to find by; several are fused by their scores. A sparse one that is empty finds nothing."""
    limit: int
    """Points wanted."""
    rerank: Floats | None = None
    """A multi vector, by which what was found is ranked anew; `candidates` of it."""
    candidates: int = 100
    """Points that each vector finds before they are fused or ranked anew; at least `limit`."""


class Choice(NamedTuple):
    """Which of the hits are wanted."""

    field: str
    """Of the payload: the hits to choose from have this one alone, those that are chosen all of it."""
    choose: Callable[[list[Hit]], list[Hit]]
    """May be called in another thread."""


class Index(Protocol):
    """Points of all tenants in one collection of one profile.

    Isolation: every filter is made of a `Within` and every id of a tenant and a name, and weights by rarity
    are computed over the tenant's points alone, so neither hits nor scores tell one tenant anything of
    another. All methods raise KnowledgeUnavailable when the engine fails or does not answer in time.
    """

    @property
    def profile(self) -> Profile: ...

    async def put(self, tenant: str, points: Sequence[Put]) -> None:
        """Writes points; one of the same id is overwritten, so that the same call again changes nothing.

        On disk when it returns. Raises ProfileMismatch before anything is written.
        """
        ...

    async def drop(self, within: Within) -> None:
        """Deletes points; on disk when it returns."""
        ...

    async def mark(self, within: Within, payload: dict[str, Any]) -> None:
        """Adds to the points' payload; on disk when it returns."""
        ...

    async def delete(self, tenant: str, ids: Sequence[str]) -> None:
        """Deletes points by the ids they were put under; after a crash of the machine they may be back."""
        ...

    async def values(self, tenant: str, ids: Sequence[str], field: str) -> dict[str, Any]:
        """`field` of those of the points that are there, by the id that each was put under."""
        ...

    async def count(self, within: Within) -> int:
        """How many points there are, exactly."""
        ...

    async def search(self, within: Within, asked: Asked, choice: Choice | None = None) -> list[Hit]:
        """At most `asked.limit` points, best first; equal scores in an order that is always the same.

        With a `choice`, those it makes of them: the texts of a hundred hits cost as much as finding them.
        Scores are the vector's own where one vector finds, of the fusion where there are several, and those
        of the multi vector where it ranks anew: comparable within one search only. Raises ProfileMismatch.
        """
        ...

    async def read(self, within: Within, fields: Sequence[str]) -> list[dict[str, Any]]:
        """`fields` of every point, by id; all of its payload where no field is named."""
        ...

    async def tenants(self) -> list[str]:
        """All that have points, by name; for the installation's own upkeep."""
        ...


def point_id(tenant: str, id: str) -> UUID:
    """The only place where a point's id is made: tenants never share one, whatever they call their points."""
    # As JSON: `digest` looks over signs that a tenant's name may differ by.
    return UUID(digest(json.dumps([tenant, id])))
