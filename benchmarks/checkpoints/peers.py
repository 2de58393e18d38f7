"""The savers that are compared, each on a store that is empty when it is opened."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, cast
from uuid import uuid4

import anyio
import psycopg  # type: ignore[import-not-found, unused-ignore]
import valkey.asyncio as valkey  # type: ignore[import-not-found, unused-ignore]
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.postgres.aio import (  # type: ignore[import-not-found, unused-ignore]
    AsyncPostgresSaver,
)
from langgraph.checkpoint.sqlite.aio import (  # type: ignore[import-not-found, unused-ignore]
    AsyncSqliteSaver,
)
from langgraph_checkpoint_aws import AsyncValkeySaver  # type: ignore[import-not-found, unused-ignore]
from psycopg.rows import dict_row  # type: ignore[import-not-found, unused-ignore]
from psycopg_pool import AsyncConnectionPool  # type: ignore[import-not-found, unused-ignore]
from redis.asyncio import Redis

from benchmarks.checkpoints.servers import Servers
from runtime.checkpoints import RedisSaver
from runtime.redis import connect

_POSTGRES_CONNECTIONS = 10
_VALKEY_CONNECTIONS = 64
_TABLES = "checkpoints checkpoint_blobs checkpoint_writes checkpoint_migrations".split()


class Store(NamedTuple):
    saver: BaseCheckpointSaver[str]
    size: Callable[[], Awaitable[int]] | None
    """Bytes that it holds; None where there is nothing to ask."""


Open = Callable[[Servers], AbstractAsyncContextManager[Store]]


class Peer(NamedTuple):
    name: str
    open: Open
    server: str
    """Which of Servers it needs: `redis`, `postgres` or none."""


@asynccontextmanager
async def open_ours(servers: Servers) -> AsyncIterator[Store]:
    url = f"{servers.redis}?db=0"
    async with connect(url) as client, _emptied(client):
        saver = RedisSaver(client)
        yield Store(saver, partial(_redis_size, client))
        saver.close()


@asynccontextmanager
async def open_valkey(servers: Servers) -> AsyncIterator[Store]:
    url = f"{servers.redis}?db=1"
    # Its default pool refuses the 11th call at once instead of letting it wait.
    pool = valkey.BlockingConnectionPool.from_url(url, max_connections=_VALKEY_CONNECTIONS, timeout=30)
    async with connect(url) as client, _emptied(client), AsyncValkeySaver.from_pool(pool) as saver:
        yield Store(saver, partial(_redis_size, client))
    await pool.aclose()


@asynccontextmanager
async def _emptied(client: Redis) -> AsyncIterator[None]:
    await client.flushdb()
    # What another saver left to be compacted must not slow this one.
    while (await client.info("persistence"))["aof_rewrite_in_progress"]:  # noqa: ASYNC110  (a child of the server ends)
        await anyio.sleep(0.1)
    yield
    await client.flushdb()


async def _redis_size(client: Redis) -> int:
    keys = [key async for key in client.scan_iter(count=1000)]
    async with client.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.memory_usage(key, samples=0)
        return sum(cast(list[int], await pipe.execute()))


@asynccontextmanager
async def open_postgres(servers: Servers, settings: str = "") -> AsyncIterator[Store]:
    name = f"chat_{uuid4().hex}"
    async with await psycopg.AsyncConnection.connect(
        f"{servers.postgres} dbname=postgres", autocommit=True
    ) as admin:
        await admin.execute(f"CREATE DATABASE {name}")
        pool = AsyncConnectionPool(
            f"{servers.postgres} dbname={name} {settings}",
            min_size=_POSTGRES_CONNECTIONS,
            max_size=_POSTGRES_CONNECTIONS,
            open=False,
            # As AsyncPostgresSaver.from_conn_string sets its one connection.
            kwargs={"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row},
        )
        async with pool:
            saver = AsyncPostgresSaver(pool)
            await saver.setup()
            yield Store(saver, partial(_postgres_size, pool))
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


async def _postgres_size(pool: Any) -> int:
    async with pool.connection() as connection:
        await connection.execute("VACUUM")
        await connection.execute("CHECKPOINT")
        query = "SELECT sum(pg_total_relation_size(t::regclass))::bigint AS size FROM unnest(%s::text[]) t"
        row = await (await connection.execute(query, [_TABLES])).fetchone()
    return int(row["size"])


@asynccontextmanager
async def open_sqlite(servers: Servers) -> AsyncIterator[Store]:
    with TemporaryDirectory(dir=servers.folder) as folder:
        file = Path(folder) / "chat.sqlite"
        async with AsyncSqliteSaver.from_conn_string(str(file)) as saver:
            await saver.setup()
            yield Store(saver, partial(_sqlite_size, saver, file))


async def _sqlite_size(saver: Any, file: Path) -> int:
    async with saver.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)"):
        return file.stat().st_size


@asynccontextmanager
async def open_memory(servers: Servers) -> AsyncIterator[Store]:
    yield Store(InMemorySaver(), None)


PEERS = (
    Peer("ours", open_ours, "redis"),
    Peer("valkey", open_valkey, "redis"),
    Peer("postgres", open_postgres, "postgres"),
    Peer(
        "postgres\nrelaxed", partial(open_postgres, settings="options=-csynchronous_commit=off"), "postgres"
    ),
    Peer("sqlite", open_sqlite, ""),
    Peer("memory", open_memory, ""),
)
