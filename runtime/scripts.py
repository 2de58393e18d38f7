"""The Lua scripts beside this file."""

from __future__ import annotations

from pathlib import Path

from redis.asyncio import Redis
from redis.commands.core import AsyncScript

_FOLDER = Path(__file__).parent / "lua"


def load_script(client: Redis, *names: str) -> AsyncScript:
    """`lua/<name>.lua`, preceded by what it includes; sent by its hash once the server knows it."""
    return client.register_script("\n".join((_FOLDER / f"{name}.lua").read_text() for name in names))
