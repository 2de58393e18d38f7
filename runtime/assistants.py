"""Assistants: graphs with a configuration under a name; versioned, per tenant, in Redis.

Every graph that is served has a default assistant, which is the graph itself: not stored, the same for all
tenants and on every server, so that naming a graph costs no round trip. It cannot be changed or deleted.
Others are for the whole tenant to use, and for their creator, engineers and admins to change. One whose graph
is not served any more is hidden, as langgraph-api does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Literal, NamedTuple
from uuid import uuid4

from redis.asyncio import Redis

from runtime.assistant_record import Assistant, Change, as_id, changed, default_assistant
from runtime.context import User
from runtime.documents import Document, contains, decode, encode, until_taken
from runtime.errors import Conflict, InvalidInput, NotFound, NotSupported, PermissionDenied, UnknownAssistant
from runtime.keys import tagged
from runtime.redis_calls import as_text
from runtime.run_record import now_ms
from runtime.scripts import load_script

MAX_ASSISTANTS = 10_000
"""Of one tenant, without the default ones."""
MAX_VERSIONS = 100
"""Of one assistant."""
_PAGE = 500


class _Read(NamedTuple):
    """An assistant as it was read, to be changed."""

    document: Document
    assistant: Assistant
    versions: int
    """How many there are; they are numbered from 1."""


class Assistants:
    """The assistants of the graphs that are served, by name."""

    def __init__(self, client: Redis, graphs: Sequence[str]) -> None:
        self._client = client
        self._defaults = {graph: default_assistant(graph) for graph in graphs}
        self._defaults_by_id = {a.assistant_id: a for a in self._defaults.values()}
        self._write = load_script(client, "replace_document", "assistant_write")

    async def resolve(self, user: User, given: object) -> Assistant:
        """By UUID or by graph name. Raises UnknownAssistant, which names the graphs."""
        found = await self._find(user, given) if isinstance(given, str) else None
        if found is None:
            raise UnknownAssistant(f"no assistant {given!r}; the graphs are {sorted(self._defaults)}")
        return found

    async def get(self, user: User, given: str) -> Assistant:
        """As `resolve`, but raises NotFound, and InvalidInput for what is neither a UUID nor a graph."""
        found = await self._find(user, given)
        if found is None and as_id(given) is None:
            raise InvalidInput(f"assistant id {given!r} is no UUID and none of {sorted(self._defaults)}")
        if found is None:
            raise NotFound(f"no assistant {given!r}")
        return found

    async def create(
        self,
        user: User,
        change: Change,
        assistant_id: str | None = None,
        if_exists: Literal["raise", "do_nothing"] = "raise",
    ) -> Assistant:
        """Raises NotFound (graph), Conflict (the id is taken) and InvalidInput (too many, too large)."""
        self._check_graph(change.graph_id)
        chosen = assistant_id or str(uuid4())
        if (key := as_id(chosen)) is None:
            raise InvalidInput(f"assistant id {chosen!r} is no UUID")
        now = now_ms()
        blank = Assistant(key, "", "Untitled", None, {}, {}, {}, 1, now, now, user.subject)
        wanted = changed(blank, change)
        if key not in self._defaults_by_id and await self._put(user, b"", wanted, wanted.version):
            return wanted
        if if_exists == "raise":
            raise Conflict(f"Assistant {key} already exists")
        return await self.get(user, key)

    async def update(self, user: User, given: str, change: Change) -> Assistant:
        """The assistant's new, latest version.

        Raises as `get`, and NotSupported (a default one), PermissionDenied, InvalidInput (too many versions).
        """
        if change.graph_id is not None:
            self._check_graph(change.graph_id)

        async def attempt() -> Assistant | None:
            read = await self._read(user, given)
            if read.versions >= MAX_VERSIONS:
                raise InvalidInput(f"assistant {given!r} has {read.versions} versions; that is the most")
            after = replace(changed(read.assistant, change), version=read.versions + 1, updated=now_ms())
            return after if await self._put(user, read.document, after, after.version) else None

        return await until_taken(attempt)

    async def set_latest(self, user: User, given: str, version: int) -> Assistant:
        """Makes an earlier version the latest, with all that it held. Raises as `update`, and NotFound."""

        async def attempt() -> Assistant | None:
            read = await self._read(user, given)
            key = _versions_key(user.tenant, read.assistant.assistant_id)
            document = await self._client.hget(key, str(version))
            if document is None:
                raise NotFound(f"assistant {given!r} has no version {version}; it has 1 to {read.versions}")
            after = replace(Assistant(**decode(document)), updated=now_ms())
            return after if await self._put(user, read.document, after) else None

        return await until_taken(attempt)

    async def versions(
        self, user: User, given: str, metadata: Mapping[str, Any] | None = None
    ) -> list[Assistant]:
        """Those whose metadata holds this, newest first. Raises as `get`."""
        latest = await self.get(user, given)
        found = [latest]
        if latest.assistant_id not in self._defaults_by_id:
            documents = await self._client.hvals(_versions_key(user.tenant, latest.assistant_id))
            found = [Assistant(**decode(document)) for document in documents]
        chosen = [version for version in found if contains(version.metadata, metadata)]
        return sorted(chosen, key=lambda version: -version.version)

    async def delete(self, user: User, given: str) -> Assistant:
        """What it was; its versions go with it. Raises as `update`."""

        async def attempt() -> Assistant | None:
            read = await self._read(user, given)
            gone = await self._replace(user, read.assistant.assistant_id, read.document, b"")
            return read.assistant if gone else None

        return await until_taken(attempt)

    async def search(
        self,
        user: User,
        *,
        graph_id: str | None = None,
        name: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> list[Assistant]:
        """All of the tenant that match, default ones included, in no order.

        `name`: a part of it, in any case; `metadata`: a subset of it. Raises NotFound (graph).
        """
        if graph_id is not None:
            self._check_graph(graph_id)
        return [
            assistant
            for assistant in [*self._defaults.values(), *await self._stored(user.tenant)]
            if graph_id in (None, assistant.graph_id)
            and (name or "").lower() in assistant.name.lower()
            and contains(assistant.metadata, metadata)
        ]

    async def _find(self, user: User, given: str) -> Assistant | None:
        if given in self._defaults:
            return self._defaults[given]
        key = as_id(given)
        if key is None or key in self._defaults_by_id:
            return self._defaults_by_id.get(key or "")
        return self._served(await self._client.hget(_key(user.tenant), key))

    async def _stored(self, tenant: str) -> list[Assistant]:
        ids = await self._client.hkeys(_key(tenant))
        found: list[Assistant] = []
        for at in range(0, len(ids), _PAGE):
            documents = await self._client.hmget(_key(tenant), ids[at : at + _PAGE])
            found += [assistant for d in documents if (assistant := self._served(d))]
        return found

    def _served(self, document: Document | None) -> Assistant | None:
        assistant = Assistant(**decode(document)) if document else None
        return assistant if assistant and assistant.graph_id in self._defaults else None

    def _check_graph(self, graph_id: str | None) -> None:
        if graph_id not in self._defaults:
            raise NotFound(f"no graph {graph_id!r}; known: {sorted(self._defaults)}")

    async def _read(self, user: User, given: str) -> _Read:
        """What the user is about to change."""
        key = (await self.get(user, given)).assistant_id
        if key in self._defaults_by_id:
            raise NotSupported(f"{given!r} is the default assistant of a graph, which stays as it is")
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.hget(_key(user.tenant), key)
            pipe.hlen(_versions_key(user.tenant, key))
            document, versions = await pipe.execute()
        if document is None:
            raise NotFound(f"no assistant {given!r}")
        assistant = Assistant(**decode(document))
        if assistant.owner != user.subject and not user.roles & {"engineer", "admin"}:
            raise PermissionDenied("this assistant belongs to another user")
        return _Read(document, assistant, versions)

    async def _put(self, user: User, read: Document, after: Assistant, version: int | str = "") -> bool:
        document = encode("the assistant", asdict(after))
        return await self._replace(user, after.assistant_id, read, document, version)

    async def _replace(
        self, user: User, key: str, read: Document, document: Document, version: int | str = ""
    ) -> bool:
        """False when it is not any more what was read; `version`: the number of the one that this makes."""
        outcome = as_text(
            await self._write(
                keys=[_key(user.tenant), _versions_key(user.tenant, key)],
                args=[key, read, document, MAX_ASSISTANTS, version],
            )
        )
        if outcome == "full":
            raise InvalidInput(f"there are {MAX_ASSISTANTS} assistants; that is the most")
        return outcome == "done"


def _key(tenant: str) -> str:
    return tagged(f"tenant/{tenant}", "assistants")


def _versions_key(tenant: str, assistant_id: str) -> str:
    return tagged(f"tenant/{tenant}", f"assistant:{assistant_id}")
