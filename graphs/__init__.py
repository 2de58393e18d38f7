"""All graphs, by the name a client asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from langgraph.graph import StateGraph

from graphs import assistant, coaching, ingest, rag, tool_calling

INGEST: Final = "ingest"

GRAPHS: Final[Mapping[str, Callable[[], StateGraph[Any, Any, Any, Any]]]] = {
    "assistant": assistant.build,
    "coaching": coaching.build,
    INGEST: ingest.build,
    "rag": rag.build,
    "tool_calling": tool_calling.build,
}
