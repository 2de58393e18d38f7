"""The store's routes: a client reaches what graphs stored for its tenant, and nothing else."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from redis.asyncio import Redis

from runtime.api import store as api
from runtime.context import User
from runtime.engine import Engine
from runtime.errors import InvalidInput, PermissionDenied
from runtime.store import RedisStore
from tests.operations import STRANGER, ask, engine_of
from tools.follow_ups import namespace

pytestmark = pytest.mark.anyio

ANA = User("acme", "ana", frozenset({"engineer"}))
BO = User("acme", "bo", frozenset({"manager"}))


@pytest.fixture
def engine(client: Redis) -> Engine:
    """The store that graphs use, on a real Redis."""
    return engine_of(store=RedisStore(client))


async def put(engine: Engine, labels: list[str], key: str, user: User = ANA, **more: Any) -> None:
    """An item that knows its key."""
    body = {"namespace": labels, "key": key, "value": {"key": key}, **more}
    assert (await ask(engine, api.put_item, body, user=user)).status == 204


async def get(engine: Engine, labels: str, key: str, user: User = ANA, **query: str) -> Any:
    """As the SDK asks: labels joined by periods."""
    return await ask(engine, api.get_item, user=user, query={"namespace": labels, "key": key, **query})


async def keys(engine: Engine, user: User = ANA, **asked: Any) -> list[str]:
    """The keys that a search finds."""
    found = await ask(engine, api.search_items, asked, user=user)
    return [item["key"] for item in found["items"]]


async def test_what_a_tool_stored_is_found_and_the_other_way(engine: Engine) -> None:
    """The routes and the graphs must look at the same items, or memory is in two places."""
    await engine.store.aput(namespace(ANA), "k", {"when": "Monday"})
    item = await get(engine, "ana.follow_ups", "k")
    assert (item["namespace"], item["key"], item["value"]) == (["ana", "follow_ups"], "k", {"when": "Monday"})
    assert item.keys() == {"namespace", "key", "value", "created_at", "updated_at"}
    await put(engine, ["ana", "follow_ups"], "k2")
    stored = await engine.store.aget(namespace(ANA), "k2")
    assert stored is not None and stored.value == {"key": "k2"}


async def test_an_item_goes(engine: Engine) -> None:
    """What is deleted is null afterwards, as what never was; deleting it again is no error."""
    await put(engine, ["a"], "k")
    for _ in range(2):
        reply = await ask(engine, api.delete_item, {"namespace": ["a"], "key": "k"}, user=ANA)
        assert (reply.status, reply.value) == (204, None)
    assert await get(engine, "a", "k") is None


async def test_a_tenant_reaches_no_other(engine: Engine) -> None:
    """Whatever a client names, its own tenant's label goes before it."""
    await put(engine, ["ana"], "k")
    assert await get(engine, "ana", "k", BO) is not None
    for labels in ("ana", "acme.ana"):
        assert await get(engine, labels, "k", STRANGER) is None
        body = {"namespace": labels.split("."), "key": "k"}
        assert (await ask(engine, api.delete_item, body, user=STRANGER)).status == 204
    assert await keys(engine, STRANGER, namespace_prefix=[]) == []
    assert await keys(engine, STRANGER, namespace_prefix=["acme"]) == []
    for asked in ({}, {"prefix": ["acme"]}, {"prefix": ["*"]}, {"suffix": ["ana"]}):
        assert await ask(engine, api.list_namespaces, asked, user=STRANGER) == {"namespaces": []}
    assert await keys(engine) == ["k"]


@pytest.mark.parametrize("odd", ["*", "acme*", "[a]cme"])
async def test_a_tenant_with_an_odd_name_reaches_no_other(engine: Engine, odd: str) -> None:
    """`*` stands for any label in the store, and is a name that an operator may give."""
    await put(engine, ["ana"], "k")
    user = User(odd, "ana", frozenset({"admin"}))
    assert await keys(engine, user) == []
    assert await ask(engine, api.list_namespaces, {}, user=user) == {"namespaces": []}


async def test_a_search_filters_and_pages(engine: Engine) -> None:
    """Below a prefix, in order, with a score only where something was ranked."""
    for key in ("a", "b", "c"):
        await put(engine, ["ana", "notes"], key)
    await put(engine, ["bo"], "d")
    assert await keys(engine) == ["a", "b", "c", "d"]
    assert await keys(engine, namespace_prefix=["ana"], limit=1, offset=1) == ["b"]
    assert await keys(engine, namespace_prefix=["ana"], filter={"key": {"$gt": "a"}}) == ["b", "c"]
    found = await ask(
        engine, api.search_items, {"namespace_prefix": ["bo"], "limit": 10, "offset": 0}, user=ANA
    )
    assert (found["items"][0]["namespace"], found["items"][0]["score"]) == (["bo"], None)


async def test_namespaces_are_listed_without_the_tenant(engine: Engine) -> None:
    """Prefix, suffix and depth count from the client's first label."""
    for labels in (["ana", "notes", "old"], ["ana", "notes", "new"], ["bo", "notes"]):
        await put(engine, labels, "k")

    async def listed(**asked: Any) -> list[list[str]]:
        answer = await ask(engine, api.list_namespaces, asked, user=ANA)
        namespaces: list[list[str]] = answer["namespaces"]
        return namespaces

    assert await listed() == [["ana", "notes", "new"], ["ana", "notes", "old"], ["bo", "notes"]]
    assert await listed(max_depth=1) == [["ana"], ["bo"]]
    assert await listed(prefix=["*", "notes"], suffix=["old"]) == [["ana", "notes", "old"]]
    assert await listed(limit=1, offset=2) == [["bo", "notes"]]


async def test_an_item_may_expire(engine: Engine, client: Redis) -> None:
    """`ttl` is in minutes; a read that says so does not put it off."""
    await put(engine, ["a"], "k", ttl=0.001)
    await put(engine, ["a"], "kept", ttl=10)
    with anyio.fail_after(10):
        while await get(engine, "a", "k", refresh_ttl="false") is not None:
            await anyio.sleep(0.01)
    assert await keys(engine, refresh_ttl=False) == ["kept"]


@pytest.mark.parametrize(
    "body",
    [
        {"namespace": [], "key": "k", "value": {}},
        {"namespace": [""], "key": "k", "value": {}},
        {"namespace": ["a.b"], "key": "k", "value": {}},
        {"namespace": ["a\0b"], "key": "k", "value": {}},
        {"namespace": ["a"] * 40, "key": "k", "value": {}},
        {"namespace": ["a" * 300], "key": "k", "value": {}},
        {"namespace": ["a"], "key": "", "value": {}},
        {"namespace": ["a"], "key": "k", "value": "text"},
        {"namespace": ["a"], "key": "k", "value": {}, "ttl": -1},
        {"namespace": ["a"], "key": "k", "value": {}, "index": True},
        {"namespace": "ana", "key": "k", "value": {}},
    ],
)
async def test_a_wrong_item_is_refused(engine: Engine, body: dict[str, Any]) -> None:
    """With an error that says what is wrong, not with one of the store's insides."""
    with pytest.raises(InvalidInput):
        await ask(engine, api.put_item, body, user=ANA)


async def test_a_wrong_question_is_refused(engine: Engine) -> None:
    """A page without end, a comparison that nobody knows, no key."""
    with pytest.raises(InvalidInput, match="limit"):
        await keys(engine, limit=100_000)
    await put(engine, ["a"], "k")
    with pytest.raises(InvalidInput, match="comparison"):
        await keys(engine, filter={"key": {"$near": 1}})
    with pytest.raises(InvalidInput, match="key is required"):
        await get(engine, "a", "")
    with pytest.raises(InvalidInput, match="label"):
        await get(engine, "", "k")


async def test_a_tenant_may_have_a_period_in_its_name(engine: Engine) -> None:
    """LangGraph takes none in a label; a domain is a tenant's likely name all the same."""
    ana = User("acme.com", "ana", frozenset({"rep"}))
    await put(engine, ["ana", "a"], "k", ana)
    found = await get(engine, "ana.a", "k", ana)
    assert (found["namespace"], found["value"]) == (["ana", "a"], {"key": "k"})


async def test_a_rep_stays_below_its_own_name(engine: Engine) -> None:
    """Items are as private as threads: neither read nor deleted by the next rep; a manager sees them."""
    ana, bo = (User("acme", name, frozenset({"rep"})) for name in ("ana", "bo"))
    await put(engine, ["ana", "notes"], "k", ana)
    for labels in (["ana", "notes"], ["ana"], ["b", "ana"]):
        with pytest.raises(PermissionDenied, match="'bo'"):
            await put(engine, labels, "k", bo)
    await put(engine, ["ana", "notes"], "k", User("acme", "meg", frozenset({"manager"})))
