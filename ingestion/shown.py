"""What searches see of a collection: of each document one version, and all of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from ingestion.index import Index
from ingestion.journal import Journal, State
from ingestion.within import Lists, Values, Within
from runtime.errors import KnowledgeUnavailable

T = TypeVar("T")

SUPERSEDED = {"superseded": "yes"}
"""Payload of an old version that was kept on request."""
_TRIES = 20
"""Of a read in which the tenant's documents changed."""


class Shown:
    """Reads only, at any time; what is read is looked at again where it changed meanwhile."""

    def __init__(self, index: Index, journal: Journal) -> None:
        self._index = index
        self._journal = journal

    async def revision(self, tenant: str) -> str:
        """Another one whenever searches may find something else than before."""
        return (await self._journal.state(tenant)).revision

    async def unseen(self, tenant: str) -> Lists:
        """What searches leave out now."""
        return _unseen(await self._journal.state(tenant))

    async def seen(
        self,
        tenant: str,
        read: Callable[[Lists], Awaitable[Sequence[T]]],
        version_of: Callable[[T], str],
    ) -> list[T]:
        """What `read` finds of the versions that searches see: the whole of one version, never of two.

        `read` takes what it is to leave out, and is called anew where that was changed meanwhile. Raises
        KnowledgeUnavailable where it is changed each time.
        """
        found, is_of_one_moment = await self._found(tenant, read, version_of)
        if not is_of_one_moment:
            raise KnowledgeUnavailable("the documents changed during every try to search them; try again")
        return found

    async def read(self, tenant: str, fields: list[str], equal: Values) -> list[dict[str, Any]]:
        """The first points of the versions that searches see; `version` and `document_id` are among `fields`.

        Of a document that changes during every try, one of its versions.
        """

        async def first(but: Lists) -> list[dict[str, Any]]:
            return await self._index.read(Within(tenant, {**equal, "ordinal": 0}, but=but), fields)

        rows, _ = await self._found(tenant, first, lambda row: str(row["version"]))
        return list({row["document_id"]: row for row in rows}.values())

    async def read_all(
        self, tenant: str, fields: Sequence[str], document_id: str | None = None
    ) -> list[dict[str, Any]]:
        """The first points of a document's versions, or everybody's, those that were kept among them."""
        hidden = (await self._journal.state(tenant)).hidden
        equal: Values = {"ordinal": 0} if document_id is None else {"document_id": document_id, "ordinal": 0}
        return await self._index.read(Within(tenant, equal, but={"version": list(hidden)}), fields)

    async def _found(
        self, tenant: str, read: Callable[[Lists], Awaitable[Sequence[T]]], version_of: Callable[[T], str]
    ) -> tuple[list[T], bool]:
        """What was found, and whether nothing changed while it was read."""
        before = await self._journal.state(tenant)
        for _ in range(_TRIES):
            found = await read(_unseen(before))
            after = await self._journal.state(tenant)
            if is_of_one_moment := after.revision == before.revision:
                break
            before = after
        # What was begun to be written meanwhile was not known to be left out.
        return [one for one in found if version_of(one) not in after.hidden], is_of_one_moment


def _unseen(state: State) -> Lists:
    superseded = {"superseded": list(SUPERSEDED.values())} if state.keeps else {}
    return {"version": list(state.hidden), **superseded}
