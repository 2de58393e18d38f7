"""A compiled graph, as the runtime passes it about."""

from __future__ import annotations

from typing import Any

from langgraph.graph.state import CompiledStateGraph

Graph = CompiledStateGraph[Any, Any, Any, Any]
"""Compiled with our saver and store. Its context is ours or that of somebody's project."""
