"""The routes of assistants, and what is known of their graphs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal, cast

from langchain_core.runnables import RunnableConfig
from langgraph.pregel import Pregel
from pydantic import Field

from runtime.api.call import MAX_PAGE, Body, Call, Reply
from runtime.api.listing import Listing, page
from runtime.assistant_record import Assistant, Change, assistant_json, version_json
from runtime.engine import Engine
from runtime.errors import InvalidInput, NotSupported
from runtime.graph import Graph
from runtime.graph_schemas import graph_schemas

_Object = dict[str, Any]
_DEEPEST = 100


class AssistantChange(Body):
    graph_id: str | None = None
    config: _Object | None = None
    context: _Object | None = None
    metadata: _Object | None = None
    name: str | None = None
    description: str | None = None

    def change(self) -> Change:
        return Change(self.graph_id, self.name, self.description, self.config, self.context, self.metadata)


class AssistantCreate(AssistantChange):
    graph_id: str
    assistant_id: str | None = None
    if_exists: Literal["raise", "do_nothing"] = "raise"


class AssistantCount(Body):
    graph_id: str | None = None
    name: str | None = None
    metadata: _Object | None = None


_Field = Literal[
    "assistant_id",
    "graph_id",
    "name",
    "description",
    "config",
    "context",
    "created_at",
    "updated_at",
    "metadata",
    "version",
]


class AssistantSearch(AssistantCount, Listing):
    sort_by: Literal["assistant_id", "graph_id", "name", "created_at", "updated_at"] | None = None
    select: list[_Field] | None = None


class AssistantVersions(Body):
    metadata: _Object | None = None
    limit: int = Field(10, ge=1, le=MAX_PAGE)
    offset: int = Field(0, ge=0)


class AssistantLatest(Body):
    version: int = Field(ge=1)


async def create_assistant(engine: Engine, call: Call, body: AssistantCreate) -> Any:
    """Create an assistant."""
    assistants = engine.assistants
    return assistant_json(
        await assistants.create(call.user, body.change(), body.assistant_id, body.if_exists)
    )


async def get_assistant(engine: Engine, call: Call) -> Any:
    """An assistant, by id or by its graph's name."""
    return assistant_json(await engine.assistants.get(call.user, call.path["assistant_id"]))


async def update_assistant(engine: Engine, call: Call, body: AssistantChange) -> Any:
    """Make a new version of an assistant."""
    given = call.path["assistant_id"]
    return assistant_json(await engine.assistants.update(call.user, given, body.change()))


async def delete_assistant(engine: Engine, call: Call) -> Reply:
    """Delete an assistant, with its versions and its crons; threads stay."""
    if call.flag("delete_threads"):
        raise NotSupported("delete_threads is not supported: delete the threads by themselves")
    assistant = await engine.assistants.delete(call.user, call.path["assistant_id"])
    await engine.crons.delete_of_assistant(call.user.tenant, assistant.assistant_id)
    return Reply(status=204)


async def search_assistants(engine: Engine, call: Call, body: AssistantSearch) -> Reply:
    """Search assistants."""
    return page([assistant_json(one) for one in await _found(engine, call, body)], body, "assistant_id")


async def count_assistants(engine: Engine, call: Call, body: AssistantCount) -> int:
    """Count assistants."""
    return len(await _found(engine, call, body))


async def list_versions(engine: Engine, call: Call, body: AssistantVersions) -> Any:
    """The versions of an assistant, newest first."""
    found = await engine.assistants.versions(call.user, call.path["assistant_id"], body.metadata)
    return [version_json(one) for one in found[body.offset : body.offset + body.limit]]


async def set_latest_version(engine: Engine, call: Call, body: AssistantLatest) -> Any:
    """Make a version of an assistant the latest."""
    given = call.path["assistant_id"]
    return assistant_json(await engine.assistants.set_latest(call.user, given, body.version))


async def draw_graph(engine: Engine, call: Call) -> Any:
    """The nodes and edges of an assistant's graph; `xray` shows subgraphs, to a depth if it is a number."""
    xray = _xray(call.query.get("xray", "false"))
    async with _graph(engine, call) as (_, graph):
        try:
            drawn = (await graph.aget_graph(xray=xray)).to_json()
        except NotImplementedError as exc:
            raise NotSupported("this graph cannot be drawn") from exc
    for node in drawn["nodes"]:
        if isinstance(data := node.get("data"), dict):
            data.pop("id", None)  # The class's import path, of no use outside.
    return drawn


async def list_subgraphs(engine: Engine, call: Call) -> Any:
    """The schemas of an assistant's subgraphs by namespace; `recurse` goes further down."""
    namespace, recurse = call.path.get("namespace"), call.flag("recurse")
    async with _graph(engine, call) as (_, graph):
        found = [pair async for pair in graph.aget_subgraphs(namespace=namespace, recurse=recurse)]
        # Another kind, a remote one say, keeps its schemas to itself.
        graphs = {name: subgraph for name, subgraph in found if isinstance(subgraph, Pregel)}
        return {
            name: {"graph_id": name, **await graph_schemas(subgraph)} for name, subgraph in graphs.items()
        }


async def get_schemas(engine: Engine, call: Call) -> Any:
    """The JSON schemas of an assistant's graph; null where none can be made."""
    async with _graph(engine, call) as (assistant, graph):
        return {"graph_id": assistant.graph_id, **await graph_schemas(graph)}


async def _found(engine: Engine, call: Call, body: AssistantCount) -> list[Assistant]:
    return await engine.assistants.search(
        call.user, graph_id=body.graph_id, name=body.name, metadata=body.metadata
    )


@asynccontextmanager
async def _graph(engine: Engine, call: Call) -> AsyncIterator[tuple[Assistant, Graph]]:
    assistant = await engine.assistants.get(call.user, call.path["assistant_id"])
    config = cast(RunnableConfig, dict(assistant.config)) or None
    async with engine.catalog.open(
        assistant.graph_id, "assistants.read", call.user, config, assistant.context or None
    ) as graph:
        yield assistant, graph


def _xray(given: str) -> int | bool:
    if given.lower() in ("true", "false"):
        return given.lower() == "true"
    if given.isdecimal() and 0 < int(given) <= _DEEPEST:
        return int(given)
    raise InvalidInput(f"xray must be true, false, or a depth from 1 to {_DEEPEST}, not {given[:20]!r}")
