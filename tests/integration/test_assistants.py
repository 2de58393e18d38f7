"""Assistants: default and stored ones, their versions, and what is told of their graphs."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID, uuid5

import anyio
import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.store.memory import InMemoryStore
from redis.asyncio import Redis
from typing_extensions import TypedDict

from runtime import assistants as limits
from runtime.api import assistants as api
from runtime.assistants import Assistants
from runtime.catalog import Catalog
from runtime.crons import Crons
from runtime.engine import Engine
from runtime.errors import Conflict, InvalidInput, NotFound, NotSupported, PermissionDenied, UnknownAssistant
from runtime.queue import RunQueue
from runtime.redis import connect
from tests.operations import ANA, BO, ENGINEER, STRANGER, ask, engine_of

pytestmark = pytest.mark.anyio
SOME_ID = "0b1c2d3e-0000-4000-8000-000000000001"


class State(TypedDict):
    """What the test's graph works on."""

    text: str


class Settings(TypedDict, total=False):
    """What the test's graph may be told."""

    model: str


def nothing(state: State) -> dict[str, Any]:
    """A node."""
    return {}


def build() -> StateGraph[Any, Any, Any, Any]:
    """A graph with a subgraph."""
    child = StateGraph(State).add_node("inner", nothing).add_edge(START, "inner").compile()
    graph = StateGraph(State, context_schema=Settings).add_node("outer", nothing).add_node("child", child)
    return graph.add_edge(START, "outer").add_edge("outer", "child").add_edge("child", END)


@pytest.fixture
async def engine(client: Redis) -> Engine:
    """Two graphs, and assistants of them on a real Redis."""

    async def start(*_: object) -> str:
        return "run"

    catalog = Catalog({"g": build(), "h": build()}, InMemorySaver(), InMemoryStore())
    return engine_of(
        catalog=catalog,
        assistants=Assistants(client, catalog.names),
        crons=Crons(client, RunQueue(client, heartbeat_s=1), start),
    )


async def test_naming_a_graph_asks_redis_nothing() -> None:
    """Every run names its assistant: the default ones resolve while Redis is away, by name and by id."""
    async with connect("unix:///nowhere.sock") as nowhere:
        assistants = Assistants(nowhere, ["g"])
        default_id = str(uuid5(UUID("6ba7b821-9dad-11d1-80b4-00c04fd430c8"), "g"))
        by_name = await assistants.resolve(ANA, "g")
        assert by_name == await assistants.resolve(ANA, default_id.upper())
        assert (by_name.assistant_id, by_name.name, by_name.version) == (default_id, "g", 1)


@pytest.mark.parametrize("given", ["nobody", SOME_ID, "", None, 7])
async def test_an_unknown_assistant_names_the_graphs(engine: Engine, given: object) -> None:
    """Whoever mistypes a graph's name is told what there is."""
    with pytest.raises(UnknownAssistant, match=r"\['g', 'h'\]"):
        await engine.assistants.resolve(ANA, given)


async def test_a_default_assistant_stays_as_it_is(engine: Engine) -> None:
    """It is the graph itself on every server, so nobody may change or delete it."""
    with pytest.raises(NotSupported):
        await ask(engine, api.update_assistant, {"name": "x"}, user=ENGINEER, assistant_id="g")
    with pytest.raises(NotSupported):
        await ask(engine, api.delete_assistant, user=ENGINEER, assistant_id="g")
    row = await ask(engine, api.get_assistant, assistant_id="g")
    assert row["metadata"] == {"created_by": "system"}
    assert await ask(engine, api.list_versions, {}, assistant_id="g") == [
        {name: value for name, value in row.items() if name != "updated_at"}
    ]


async def test_what_is_created_is_found(engine: Engine) -> None:
    """Create, get and resolve agree; the context and `configurable` are one."""
    asked = {"graph_id": "g", "name": "Mine", "context": {"model": "m"}, "config": {"tags": ["t"]}}
    row = await ask(engine, api.create_assistant, asked)
    assert row == await ask(engine, api.get_assistant, user=BO, assistant_id=row["assistant_id"])
    assert row["config"] == {"tags": ["t"], "configurable": {"model": "m"}}
    found = await engine.assistants.resolve(ANA, row["assistant_id"])
    assert (found.graph_id, found.context) == ("g", {"model": "m"})


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, InvalidInput),
        ({"graph_id": "nobody"}, NotFound),
        ({"graph_id": "g", "assistant_id": "no-uuid"}, InvalidInput),
        ({"graph_id": "g", "context": {"a": 1}, "config": {"configurable": {"b": 2}}}, InvalidInput),
        ({"graph_id": "g", "metadata": {"text": "x" * 300_000}}, InvalidInput),
        ({"graph_id": "g", "if_exists": "replace"}, InvalidInput),
    ],
)
async def test_a_wrong_create_is_refused(
    engine: Engine, body: dict[str, Any], error: type[Exception]
) -> None:
    """Each with the error that the route's status comes from."""
    with pytest.raises(error):
        await ask(engine, api.create_assistant, body)


async def test_an_id_is_taken_once(engine: Engine) -> None:
    """`raise` refuses a second one of the id, `do_nothing` gives the first; default ones' ids are taken."""
    first = await ask(engine, api.create_assistant, {"graph_id": "g", "assistant_id": SOME_ID})
    again = {"graph_id": "h", "assistant_id": SOME_ID.upper()}
    with pytest.raises(Conflict):
        await ask(engine, api.create_assistant, again)
    assert await ask(engine, api.create_assistant, {**again, "if_exists": "do_nothing"}) == first
    default = await ask(engine, api.get_assistant, assistant_id="g")
    taken = {"graph_id": "h", "assistant_id": default["assistant_id"], "if_exists": "do_nothing"}
    assert await ask(engine, api.create_assistant, taken) == default


async def test_an_update_keeps_what_it_does_not_say(engine: Engine) -> None:
    """Metadata is merged, a context replaces only the context, and each update is a version."""
    asked = {"graph_id": "g", "name": "A", "metadata": {"a": 1}, "config": {"recursion_limit": 9}}
    made = await ask(engine, api.create_assistant, asked)
    after = await ask(
        engine,
        api.update_assistant,
        {"metadata": {"b": 2}, "context": {"model": "m"}, "graph_id": "h"},
        assistant_id=made["assistant_id"],
    )
    assert (after["name"], after["graph_id"], after["version"]) == ("A", "h", 2)
    assert after["metadata"] == {"a": 1, "b": 2}
    assert after["config"] == {"recursion_limit": 9, "configurable": {"model": "m"}}


async def test_an_earlier_version_comes_back_whole(engine: Engine) -> None:
    """The latest version is what runs: all that it held must come back, and no version may go."""
    made = await ask(engine, api.create_assistant, {"graph_id": "g", "context": {"model": "one"}})
    path = {"assistant_id": made["assistant_id"]}
    await ask(engine, api.update_assistant, {"graph_id": "h", "context": {"model": "two"}}, **path)
    back = await ask(engine, api.set_latest_version, {"version": 1}, **path)
    assert (back["graph_id"], back["context"], back["version"]) == ("g", {"model": "one"}, 1)
    assert (await ask(engine, api.update_assistant, {"name": "third"}, **path))["version"] == 3
    versions = await ask(engine, api.list_versions, {}, **path)
    assert [(v["version"], v["context"]["model"]) for v in versions] == [(3, "one"), (2, "two"), (1, "one")]
    assert await ask(engine, api.list_versions, {"limit": 1, "offset": 1}, **path) == versions[1:2]
    with pytest.raises(NotFound, match="1 to 3"):
        await ask(engine, api.set_latest_version, {"version": 4}, **path)


async def test_updates_at_once_lose_no_version(engine: Engine) -> None:
    """Two servers that change one assistant at the same time must both be heard."""
    made = await ask(engine, api.create_assistant, {"graph_id": "g"})

    async def update(number: int) -> None:
        change = {"metadata": {f"k{number}": number}}
        await ask(engine, api.update_assistant, change, assistant_id=made["assistant_id"])

    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(update, number)
    latest = await ask(engine, api.get_assistant, assistant_id=made["assistant_id"])
    assert latest["metadata"] == {f"k{number}": number for number in range(20)}
    versions = await ask(engine, api.list_versions, {"limit": 100}, assistant_id=made["assistant_id"])
    assert [v["version"] for v in versions] == list(range(21, 0, -1))
    assert [len(v["metadata"]) for v in versions] == list(range(20, -1, -1))


async def test_versions_and_assistants_have_a_limit(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client in a loop must not fill the Redis: past the limit, an error names it."""
    monkeypatch.setattr(limits, "MAX_VERSIONS", 2)
    monkeypatch.setattr(limits, "MAX_ASSISTANTS", 1)
    made = await ask(engine, api.create_assistant, {"graph_id": "g"})
    await ask(engine, api.update_assistant, {"name": "2"}, assistant_id=made["assistant_id"])
    with pytest.raises(InvalidInput, match="2 versions"):
        await ask(engine, api.update_assistant, {"name": "3"}, assistant_id=made["assistant_id"])
    with pytest.raises(InvalidInput, match="there are 1 assistants"):
        await ask(engine, api.create_assistant, {"graph_id": "g"})


async def test_only_its_creator_or_an_engineer_changes_an_assistant(engine: Engine) -> None:
    """Colleagues run with it: a rep must not be able to give it another prompt, or take it away."""
    made = await ask(engine, api.create_assistant, {"graph_id": "g"})
    path = {"assistant_id": made["assistant_id"]}
    with pytest.raises(PermissionDenied):
        await ask(engine, api.update_assistant, {"name": "x"}, user=BO, **path)
    with pytest.raises(PermissionDenied):
        await ask(engine, api.delete_assistant, user=BO, **path)
    assert (await ask(engine, api.update_assistant, {"name": "x"}, user=ENGINEER, **path))["name"] == "x"


async def test_a_tenant_sees_its_own_assistants_only(engine: Engine) -> None:
    """Neither by id nor in a search does another tenant's assistant exist; the same id is free there."""
    made = await ask(engine, api.create_assistant, {"graph_id": "g", "assistant_id": SOME_ID})
    with pytest.raises(NotFound):
        await ask(engine, api.get_assistant, user=STRANGER, assistant_id=SOME_ID)
    assert await ask(engine, api.count_assistants, {}, user=STRANGER) == 2
    body = {"graph_id": "h", "assistant_id": SOME_ID}
    theirs = await ask(engine, api.create_assistant, body, user=STRANGER)
    assert theirs["graph_id"] == "h"
    assert await ask(engine, api.get_assistant, assistant_id=SOME_ID) == made


async def test_a_deleted_assistant_is_gone_with_all_of_it(engine: Engine, client: Redis) -> None:
    """Its versions and its crons must not stay behind, and its id is free again."""
    kept = await client.keys("*")
    made = await ask(engine, api.create_assistant, {"graph_id": "g", "assistant_id": SOME_ID})
    cron = await engine.crons.create(BO, made["assistant_id"], None, {"schedule": "0 0 1 1 *"})
    reply = await ask(engine, api.delete_assistant, assistant_id=SOME_ID)
    assert (reply.status, reply.value) == (204, None)
    with pytest.raises(NotFound):
        await engine.crons.get(BO, cron.cron_id)
    assert await client.keys("*") == kept
    with pytest.raises(NotFound):
        await ask(engine, api.delete_assistant, assistant_id=SOME_ID)
    with pytest.raises(NotSupported):
        await ask(engine, api.delete_assistant, query={"delete_threads": "true"}, assistant_id=SOME_ID)


async def test_a_search_filters_sorts_and_pages(engine: Engine) -> None:
    """What the SDK's search can ask, and the headers that lead to the next page."""
    for number in range(5):
        metadata = {"n": number, "team": {"a": 1}}
        body = {"graph_id": "gh"[number % 2], "name": f"Coach {number}", "metadata": metadata}
        await ask(engine, api.create_assistant, body)
    reply = await ask(
        engine,
        api.search_assistants,
        {"name": "coach", "metadata": {"team": {"a": 1}}, "graph_id": "g", "limit": 2, "sort_by": "name",
         "sort_order": "asc", "select": ["name", "graph_id"]},
    )  # fmt: skip
    assert reply.value == [{"name": "Coach 0", "graph_id": "g"}, {"name": "Coach 2", "graph_id": "g"}]
    assert reply.headers == {"x-pagination-total": "3", "x-pagination-next": "2"}
    last = await ask(engine, api.search_assistants, {"name": "coach", "offset": 4})
    assert ([row["name"] for row in last.value], last.headers) == (["Coach 0"], {"x-pagination-total": "5"})
    assert await ask(engine, api.count_assistants, {"metadata": {"n": 3}}) == 1
    with pytest.raises(NotFound):
        await ask(engine, api.search_assistants, {"graph_id": "nobody"})
    with pytest.raises(InvalidInput, match="select"):
        await ask(engine, api.search_assistants, {"select": ["secret"]})


async def test_an_assistant_of_a_graph_that_is_gone_is_hidden(engine: Engine, client: Redis) -> None:
    """A project that drops a graph must not offer what cannot run."""
    made = await ask(engine, api.create_assistant, {"graph_id": "h"})
    fewer = Assistants(client, ["g"])
    assert [one.graph_id for one in await fewer.search(ANA)] == ["g"]
    with pytest.raises(UnknownAssistant):
        await fewer.resolve(ANA, made["assistant_id"])


async def test_a_graph_is_drawn_to_the_depth_asked(engine: Engine) -> None:
    """`xray` shows what is inside subgraphs; anything else than a depth is refused."""
    flat = await ask(engine, api.draw_graph, assistant_id="g")
    assert {node["id"] for node in flat["nodes"]} == {"__start__", "outer", "child", "__end__"}
    assert {("outer", "child"), ("child", "__end__")} <= {(e["source"], e["target"]) for e in flat["edges"]}
    for xray in ("true", "1"):
        deep = await ask(engine, api.draw_graph, query={"xray": xray}, assistant_id="g")
        assert "child:inner" in {node["id"] for node in deep["nodes"]}
    for wrong in ("0", "-1", "deep", "9" * 30):
        with pytest.raises(InvalidInput, match="xray"):
            await ask(engine, api.draw_graph, query={"xray": wrong}, assistant_id="g")


async def test_the_schemas_of_a_graph_and_its_subgraphs(engine: Engine) -> None:
    """A studio builds its forms from them."""
    schemas = await ask(engine, api.get_schemas, assistant_id="g")
    assert schemas["graph_id"] == "g"
    for name in ("input_schema", "output_schema", "state_schema"):
        assert schemas[name]["properties"]["text"]["type"] == "string"
    for name in ("config_schema", "context_schema"):
        assert schemas[name]["properties"]["model"]["type"] == "string"
    subgraphs = await ask(engine, api.list_subgraphs, assistant_id="g")
    assert list(subgraphs) == ["child"]
    assert subgraphs["child"]["context_schema"] is None
    assert await ask(engine, api.list_subgraphs, assistant_id="g", namespace="child") == subgraphs
    assert await ask(engine, api.list_subgraphs, assistant_id="g", namespace="nobody") == {}


async def test_a_schema_that_cannot_be_made_is_null(client: Redis) -> None:
    """One type without a JSON schema must not cost the others."""

    class Odd:
        """No JSON has this."""

    odd = StateGraph(State, context_schema=cast(Any, Odd)).add_node("n", nothing).add_edge(START, "n")
    catalog = Catalog({"odd": odd}, InMemorySaver(), InMemoryStore())
    engine = engine_of(catalog=catalog, assistants=Assistants(client, catalog.names))
    schemas = await ask(engine, api.get_schemas, assistant_id="odd")
    assert schemas["context_schema"] is None
    assert schemas["state_schema"] is not None
