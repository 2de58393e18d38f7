"""An assistant: what it is made of, how it changes, and its form on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid5

from runtime.errors import InvalidInput
from runtime.run_record import iso

_GRAPHS = UUID("6ba7b821-9dad-11d1-80b4-00c04fd430c8")
"""The namespace of default assistants' ids, as in langgraph-api (graph.py): clients may compute them."""
_Object = Mapping[str, Any]


@dataclass(frozen=True)
class Assistant:
    assistant_id: str
    graph_id: str
    name: str
    description: str | None
    config: _Object
    context: _Object
    """The same as `config.configurable`, by its newer name."""
    metadata: _Object
    version: int
    created: int
    updated: int
    """ms since the epoch; both 0 for a default one, which is the same on every server."""
    owner: str = ""
    """The subject of its creator; '' for a default one."""


@dataclass(frozen=True)
class Change:
    """What a create or update says of an assistant; None says nothing."""

    graph_id: str | None = None
    name: str | None = None
    description: str | None = None
    config: _Object | None = None
    context: _Object | None = None
    metadata: _Object | None = None
    """Merged into what is there."""


def default_assistant(graph: str) -> Assistant:
    """The one that is the graph itself, without any configuration."""
    assistant_id = str(uuid5(_GRAPHS, graph))
    return Assistant(assistant_id, graph, graph, None, {}, {}, {"created_by": "system"}, 1, 0, 0)


def changed(assistant: Assistant, change: Change) -> Assistant:
    """With the change, in the same version. Raises InvalidInput for two contexts."""
    config, context = dict(change.config or {}), change.context
    if config.get("configurable") and context:
        raise InvalidInput("config.configurable and context are the same; give one of them, best the context")
    if config.get("configurable"):
        context = config["configurable"]
    elif context is not None:
        config = {**(config or assistant.config), "configurable": context}
    return replace(
        assistant,
        graph_id=_given(change.graph_id, assistant.graph_id),
        name=_given(change.name, assistant.name),
        description=_given(change.description, assistant.description),
        config=config or assistant.config,
        context=_given(context, assistant.context),
        metadata={**assistant.metadata, **(change.metadata or {})},
    )


def _given(value: Any, otherwise: Any) -> Any:
    return otherwise if value is None else value


def as_id(given: str) -> str | None:
    """A UUID in the form in which it is a key; None for what is none."""
    try:
        return str(UUID(given))
    except ValueError:
        return None


def assistant_json(assistant: Assistant) -> dict[str, Any]:
    """The wire's form (`Assistant` of the SDK's schema.py)."""
    return {
        "assistant_id": assistant.assistant_id,
        "graph_id": assistant.graph_id,
        "name": assistant.name,
        "description": assistant.description,
        "config": assistant.config,
        "context": assistant.context,
        "metadata": assistant.metadata,
        "version": assistant.version,
        "created_at": iso(assistant.created),
        "updated_at": iso(assistant.updated),
    }


def version_json(version: Assistant) -> dict[str, Any]:
    """As `assistant_json`, of one version: `created_at` is when the version was made."""
    row = assistant_json(version)
    row["created_at"] = row.pop("updated_at")
    return row
