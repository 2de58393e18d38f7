"""`cornerman threads` and `cornerman replay`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx
from rich.table import Table
from rich.text import Text

from compose import open_installation
from runtime.context import User
from runtime.errors import NotFound, Unauthenticated
from runtime.keys import check_thread_id, thread_key
from runtime.replay import Turn, replay
from runtime.settings import Settings
from terminal.render import shorten


async def list_threads(url: str, api_key: str | None, limit: int) -> list[dict[str, Any]]:
    """The rows of the user's threads. Raises Unauthenticated."""
    headers = {"x-api-key": api_key} if api_key else {}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30, trust_env=False) as client:
        reply = await client.post("/threads/search", json={"limit": limit})
    if reply.status_code == 401:
        raise Unauthenticated("the server refused the API key; pass --api-key or set CORNERMAN_API_KEY")
    reply.raise_for_status()
    rows: list[dict[str, Any]] = reply.json()
    return rows


async def replay_thread(settings: Settings, tenant: str, thread_id: str) -> list[Turn]:
    """Replays with this process's model and the installation's knowledge. Raises NotFound."""
    user = User(tenant, "evaluator", frozenset({"evaluator"}))
    async with open_installation(settings, own_index=True, work=False) as installation:
        engine = installation.engine
        row = await engine.threads.get(user, check_thread_id(thread_id))
        if not row.graph:
            raise NotFound(f"nothing ran on thread {thread_id!r}")
        async with engine.catalog.open(row.graph, "threads.create_run", user) as graph:
            return await replay(
                graph, engine.saver, thread_key(tenant, thread_id), installation.context_for(user)
            )


def replay_table(turns: Sequence[Turn]) -> Table:
    """One row per turn, with the first difference of each state key."""
    table = Table("turn", "checkpoint", "replayed", "difference")
    for turn in turns:
        verdict = "to its question" if turn.interrupted else "differs" if turn.differences else "the same"
        said = "\n".join(
            f"{key}: {shorten(str(was), 60)} → {shorten(str(now), 60)}"
            for key, (was, now) in turn.differences.items()
        )
        table.add_row(str(turn.number), turn.checkpoint_id, verdict, Text(said))
    return table
