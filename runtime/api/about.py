"""What this server is."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from runtime.api.call import Call
from runtime.engine import Engine


async def ok(engine: Engine, call: Call) -> dict[str, Any]:
    """Whether the server answers."""
    return {"ok": True}


async def info(engine: Engine, call: Call) -> dict[str, Any]:
    """Name, versions and what the server can do."""
    return {
        "name": "cornerman",
        "version": version("cornerman"),
        "langgraph_py_version": version("langgraph"),
        "flags": {"assistants": True, "crons": True, "langsmith": False},
        "graphs": engine.catalog.names,
    }
