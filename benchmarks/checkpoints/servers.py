"""What the savers store in: servers and a folder of the benchmark's own, which end with it."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.checkpoints.postgres import ServerMissing, postgres_server
from runtime.embedded_redis import embedded_redis, find_server
from runtime.errors import RedisUnavailable


class Servers(NamedTuple):
    folder: Path
    redis: str
    """The URL of a server with nothing else in it."""
    postgres: str
    """The conninfo of a superuser, without a database name."""
    missing: Mapping[str, str]
    """Names of those that could not be run, with what to do about it."""


@asynccontextmanager
async def open_servers() -> AsyncIterator[Servers]:
    """Both, or those of them that can be run here."""
    missing: dict[str, str] = {}
    redis = postgres = ""
    with tempfile.TemporaryDirectory(prefix="cornerman-") as name:
        async with AsyncExitStack() as stack:
            try:
                find_server()
            except RedisUnavailable:
                # Its message speaks of settings, which the benchmark does not read.
                missing["redis"] = "no redis-server 6.2 or newer; on Debian: apt-get install redis-server"
            else:
                socket = await stack.enter_async_context(embedded_redis(Path(name) / "redis"))
                redis = f"unix://{socket}"
            try:
                postgres = await stack.enter_async_context(postgres_server())
            except ServerMissing as exc:
                missing["postgres"] = str(exc)
            yield Servers(Path(name), redis, postgres, missing)
