"""The collections of a Qdrant server: named by a prefix, one of them current by an alias."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from qdrant_client import AsyncQdrantClient, models

from ingestion.collection import Collection
from ingestion.engines.calls import Calls
from ingestion.engines.collection import open_collection, read_profile
from ingestion.engines.journal_points import KEY, JournalPoints
from ingestion.engines.server import ServerIndex, open_client
from ingestion.record import DOCUMENTS
from ingestion.shown import Shown
from ingestion.vectors import Profile
from ingestion.versions import Versions
from runtime.errors import InvalidInput, KnowledgeUnavailable

_FIELDS = DOCUMENTS._replace(keywords=(*DOCUMENTS.keywords, KEY))
_GRACE_S = 60.0
"""Longer than a process takes between hiding a version and having deleted it: each call ends in time."""
_OLDEST = (1, 19)
"""Conditional upserts came with 1.16. Before 1.19 a server silently weighs words over all tenants' documents,
and so tells one of those of others."""
_REMEMBERED_S = 2.0


class ServerCollections:
    """`Collections` that all processes share. Opened by `open_server_collections`.

    No prefix may be the beginning of another installation's on the same server.
    """

    def __init__(
        self,
        client: AsyncQdrantClient,
        calls: Calls,
        prefix: str,
        first: str,
        profile: Profile,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._calls = calls
        self._prefix = prefix
        self._alias = f"{prefix}current"
        self._first = first
        self._profile = profile
        self._now = now
        self._open: dict[str, Collection] = {}
        self._current: Collection | None = None
        self._known_until = 0.0
        self._is_new_enough = False

    async def current(self, *, fresh: bool = False) -> Collection:
        """Another process's `switch` is seen after _REMEMBERED_S at the latest, or at once when `fresh`."""
        since = self._now()
        if self._current is None or fresh or since >= self._known_until:
            await self._check_version()
            here = await self._there(await self._pointed_to() or await self._begin())
            self._remember(here, since)
            return here
        return self._current

    def full_name(self, name: str) -> str:
        """As the server knows it."""
        return self._prefix + name

    async def names(self) -> list[str]:
        found = (await self._calls(self._client.get_collections)).collections
        full = [one.name for one in found if one.name.startswith(self._prefix)]
        return sorted(name.removeprefix(self._prefix) for name in full)

    async def open(self, name: str, profile: Profile) -> Collection:
        await self._check_version()
        index = await open_collection(self._client, self._prefix + name, profile, _FIELDS, self._calls)
        return self._opened(name, index)

    async def kept(self, name: str) -> Collection:
        await self._check_version()
        if name not in (there := await self.names()):
            raise InvalidInput(f"there is no collection {name!r}; there are {', '.join(there)}")
        return await self._there(name)

    async def switch(self, name: str) -> None:
        since = self._now()
        await self._point(name)
        self._remember(await self._there(name), since)

    async def drop(self, name: str) -> None:
        """Processes that have not seen the switch away from it yet, _REMEMBERED_S ago, fail to search."""
        here = await self.current(fresh=True)
        if name == here.name or name not in await self.names():
            raise InvalidInput(f"{name!r} is not one of the collections that are kept beside the current one")
        self._open.pop(name, None)
        await self._calls(partial(self._client.delete_collection, self._prefix + name))

    def _remember(self, current: Collection, since: float) -> None:
        self._current, self._known_until = current, since + _REMEMBERED_S

    async def _pointed_to(self) -> str | None:
        aliases = (await self._calls(self._client.get_aliases)).aliases
        full = {one.alias_name: one.collection_name for one in aliases}.get(self._alias)
        return full and full.removeprefix(self._prefix)

    async def _begin(self) -> str:
        """Makes the first one current; of processes that do so at once, one is followed by all."""
        there = await self.names()
        if there and self._first not in there:
            raise KnowledgeUnavailable(
                f"the Qdrant server has the collections {there}, and no alias {self._alias!r} says which"
                " of them is current; create it"
            )
        await self.open(self._first, self._profile)
        if await self._pointed_to() is None:
            await self._point(self._first)
        return await self._pointed_to() or self._first

    async def _point(self, name: str) -> None:
        """In one request: nobody finds no current one."""
        away = models.DeleteAlias(alias_name=self._alias)
        to = models.CreateAlias(alias_name=self._alias, collection_name=self._prefix + name)
        moves: list[models.AliasOperations] = [
            models.DeleteAliasOperation(delete_alias=away),
            models.CreateAliasOperation(create_alias=to),
        ]
        await self._calls(partial(self._client.update_collection_aliases, moves))

    async def _there(self, name: str) -> Collection:
        if name in self._open:
            return self._open[name]
        profile = await read_profile(self._client, self._prefix + name, self._calls)
        return self._opened(name, ServerIndex(self._client, self._prefix + name, profile, self._calls))

    def _opened(self, name: str, index: ServerIndex) -> Collection:
        """One for each name, since `Versions` lets the changes of a process wait for each other."""
        journal = JournalPoints(self._client, self._prefix + name, self._calls)
        versions = Versions(index, journal, _GRACE_S)
        return self._open.setdefault(name, Collection(name, index, versions, Shown(index, journal)))

    async def _check_version(self) -> None:
        if self._is_new_enough:
            return
        version = (await self._calls(self._client.info)).version
        numbers = re.match(r"(\d+)\.(\d+)", version)
        if numbers is None or (int(numbers[1]), int(numbers[2])) < _OLDEST:
            raise KnowledgeUnavailable(
                f"the Qdrant server is of version {version!r}; it must be {_OLDEST[0]}.{_OLDEST[1]} or newer"
            )
        self._is_new_enough = True


@asynccontextmanager
async def open_server_collections(
    url: str, api_key: str | None, prefix: str, first: str, profile: Profile, timeout_s: float
) -> AsyncIterator[ServerCollections]:
    """Those of `prefix`; where there is none, one named `first` of that profile becomes current.

    The server is asked for the first time when they are used.
    """
    async with open_client(url, api_key, timeout_s) as client:
        yield ServerCollections(client, Calls(timeout_s), prefix, first, profile)
