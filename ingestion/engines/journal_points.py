"""The journal of a Qdrant collection: a point without vectors for each tenant, so that snapshots hold it."""

from __future__ import annotations

from functools import partial
from hashlib import blake2b
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from pydantic import TypeAdapter, ValidationError
from qdrant_client import AsyncQdrantClient, models

from ingestion.engines.calls import Calls
from ingestion.journal import State
from runtime.errors import KnowledgeUnavailable

KEY = "journal"
"""Of the payload, to be indexed: whether the tenant has hidden versions."""
_HIDES, _RESTS = "hides", "rests"
_TOKENS = 64
"""Changes that are remembered, so that one knows of its own while others follow it."""
_PAGE = 1_000

_STATE = TypeAdapter(State)


class _Held(NamedTuple):
    state: State
    tokens: list[str]
    """Of the changes that led to it, the latest first; "" for the state before the first one."""


class JournalPoints:
    """A `Journal` beside the points that it is about.

    Its points carry no `tenant`, which every filter of an `Index` asks for, and their ids are made in another
    way than those of an `Index`: no operation on a tenant's points reaches them.
    """

    def __init__(self, client: AsyncQdrantClient, collection: str, calls: Calls) -> None:
        self._client = client
        self._collection = collection
        self._calls = calls

    async def state(self, tenant: str) -> State:
        return (await self._held(tenant)).state

    async def swap(self, tenant: str, old: State, new: State) -> bool:
        """On disk when it returns. It may have been done where it raises."""
        held = await self._held(tenant)
        if held.state != old:
            return False
        token = uuid4().hex
        await self._write(tenant, _Held(new, [token, *held.tokens][:_TOKENS]), before=held.tokens[0])
        # The server does not say whether the condition held, nor a lost answer what was done.
        tokens = (await self._held(tenant)).tokens
        if token in tokens:
            return True
        if held.tokens[0] in tokens[1:]:
            return False
        raise KnowledgeUnavailable("the Qdrant server does not say whether a change was written; try again")

    async def tenants(self) -> list[str]:
        hides = models.Filter(must=[_has(KEY, _HIDES)])
        found, at = list[str](), None
        while True:
            page = partial(self._client.scroll, self._collection, hides, limit=_PAGE, offset=at)
            records, at = await self._calls(partial(page, with_payload=["journal_of"]))
            found += [(record.payload or {})["journal_of"] for record in records]
            if at is None:
                return found

    async def _held(self, tenant: str) -> _Held:
        read = partial(self._client.retrieve, self._collection, [_id(tenant)], with_payload=True)
        records = await self._calls(read)
        return _read(records[0].payload or {}) if records else _Held(State(), [""])

    async def _write(self, tenant: str, held: _Held, before: str) -> None:
        """A point that is not there is written whatever the condition; no point's latest token is ""."""
        point = models.PointStruct(id=_id(tenant), vector={}, payload=_payload(tenant, held))
        still = models.Filter(must=[_has("journal_token", before)])
        put = partial(self._client.upsert, self._collection, [point], wait=True, update_filter=still)
        # Replicas that saw two changes in different orders would let each of them win.
        await self._calls(partial(put, ordering=models.WriteOrdering.STRONG))


def _id(tenant: str) -> str:
    """Never one of `point_id`, whatever it was made of: the digest is of another kind (`person`)."""
    return str(UUID(bytes=blake2b(tenant.encode(), digest_size=16, person=b"journal").digest()))


def _payload(tenant: str, held: _Held) -> dict[str, Any]:
    return {
        KEY: _HIDES if held.state.hidden else _RESTS,
        "journal_of": tenant,
        "journal_state": _STATE.dump_json(held.state).decode(),
        "journal_token": held.tokens[0],
        "journal_tokens": held.tokens,
    }


def _read(payload: dict[str, Any]) -> _Held:
    try:
        return _Held(_STATE.validate_json(payload["journal_state"]), payload["journal_tokens"])
    except (KeyError, ValidationError) as exc:
        raise KnowledgeUnavailable(
            "the journal in the Qdrant server's collection is damaged;"
            " restore the collection, or fill it again"
        ) from exc


def _has(key: str, value: str) -> models.FieldCondition:
    return models.FieldCondition(key=key, match=models.MatchValue(value=value))
