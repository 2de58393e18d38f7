"""The JSON schemas of what a graph takes and gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal, TypeVar

import anyio.to_thread
from langgraph.channels.base import BaseChannel
from langgraph.pregel import Pregel
from pydantic import TypeAdapter
from pydantic.errors import PydanticUserError

_Schema = dict[str, Any]
_Graph = Pregel[Any, Any, Any, Any]
T = TypeVar("T")
_UNMAKEABLE = (PydanticUserError, NameError, TypeError, ValueError, AttributeError)
"""What pydantic, or a project's own types, raise for a type that has no JSON schema."""


async def graph_schemas(graph: _Graph) -> Mapping[str, _Schema | None]:
    """`input_`, `output_`, `state_`, `config_` and `context_schema`, as in the SDK's `GraphSchema`.

    None for one that cannot be made. Made in a thread: it takes tens of milliseconds of computing.
    """
    return await anyio.to_thread.run_sync(_schemas, graph)


def _schemas(graph: _Graph) -> Mapping[str, _Schema | None]:
    context = _tried(graph.get_context_jsonschema)
    return {
        "input_schema": _tried(graph.get_input_jsonschema),
        "output_schema": _tried(graph.get_output_jsonschema),
        "state_schema": _tried(partial(_state_schema, graph)),
        # `configurable` is the context by its older name; a graph without one takes no fields.
        "config_schema": {} if graph.context_schema is None else context,
        "context_schema": context,
    }


def _tried(make: Callable[[], T]) -> T | None:
    try:
        return make()
    except _UNMAKEABLE:
        return None


def _state_schema(graph: _Graph) -> _Schema:
    """What nodes may write, by channel; a channel whose type has no schema takes anything."""
    as_input: Literal["validation"] = "validation"
    adapters = [(name, as_input, _adapter(graph.channels[name])) for name in graph.stream_channels_list]
    made, shared = TypeAdapter.json_schemas(adapters)
    properties = {name: schema for (name, _), schema in made.items()}
    return {"title": graph.get_name("State"), "type": "object", "properties": properties, **shared}


def _adapter(channel: Any) -> TypeAdapter[Any]:
    def made() -> TypeAdapter[Any]:
        adapter = TypeAdapter(channel.UpdateType)
        adapter.json_schema()  # Types that pydantic can check, but not describe, fail here.
        return adapter

    return (_tried(made) if isinstance(channel, BaseChannel) else None) or TypeAdapter(Any)
