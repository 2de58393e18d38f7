"""A tenant's part of the store, on a real Redis."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from runtime.store import RedisStore
from runtime.tenant_store import TenantStore

pytestmark = pytest.mark.anyio


async def test_two_tenants_never_meet(client: Redis) -> None:
    """A graph that knows nothing of tenants must not mix their memories."""
    whole = RedisStore(client)
    acme, other = TenantStore(whole, "acme.com"), TenantStore(whole, "other")
    await acme.aput(("memories", "ana"), "k", {"text": "likes tea"})
    await other.aput(("memories", "ana"), "k", {"text": "likes rum"})
    item = await acme.aget(("memories", "ana"), "k")
    assert item and (item.namespace, item.value) == (("memories", "ana"), {"text": "likes tea"})
    found = await acme.asearch(("memories",))
    assert [(i.namespace, i.key, i.value) for i in found] == [
        (("memories", "ana"), "k", {"text": "likes tea"})
    ]
    assert len(await acme.asearch(())) == 1
    assert await acme.alist_namespaces() == [("memories", "ana")]
    assert await acme.alist_namespaces(prefix=("memories",), max_depth=1) == [("memories",)]
    assert await acme.alist_namespaces(suffix=("ana",)) == [("memories", "ana")]
    assert await other.alist_namespaces(prefix=("elsewhere",)) == []
    await acme.adelete(("memories", "ana"), "k")
    assert await acme.aget(("memories", "ana"), "k") is None
    assert await other.aget(("memories", "ana"), "k") is not None
