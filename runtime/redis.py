"""Redis: clients of a given one, or a real redis-server of our own on a unix socket in the data folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import RedisError

from runtime.embedded_redis import MIN_VERSION, embedded_redis, parse_version
from runtime.errors import RedisUnavailable, SettingsInvalid

_RETRIES = 6


def connect(url: str, *, timeout_s: float | None = 10.0, connections: int = 32) -> redis.Redis:
    """A client with its own pool that waits for a free connection instead of failing.

    `timeout_s` bounds each reply; None is for connections that block on purpose (queue, subscriptions). A
    lost connection is tried again for one to two seconds, which rides over a restart; scripts are written so
    that a second execution changes nothing.
    """
    pool = redis.BlockingConnectionPool.from_url(
        url,
        max_connections=connections,
        timeout=10,
        socket_timeout=timeout_s,
        socket_connect_timeout=5,
        health_check_interval=30,
        retry=Retry(ExponentialWithJitterBackoff(base=0.05, cap=0.5), _RETRIES),
    )
    return redis.Redis.from_pool(pool)


@asynccontextmanager
async def open_redis(url: str | None, data_dir: Path) -> AsyncIterator[str]:
    """The URL of a Redis that answers: `url`, or else that of the embedded server under `data_dir`.

    Raises RedisUnavailable (does not answer, or is older than 6.2) and SettingsInvalid (folder not writable).
    """
    if url is not None:
        await _check(url)
        yield url
        return
    async with embedded_redis(data_dir / "redis") as socket:
        yield f"unix://{socket}"


async def _check(url: str) -> None:
    place = _place(url)
    try:
        client = connect(url, timeout_s=5.0)
    except ValueError:
        # Without the cause: it quotes parts of the URL, the password among them.
        raise SettingsInvalid(
            "CORNERMAN_REDIS_URL is no Redis URL; it looks like redis://user:password@host:6379/0"
        ) from None
    async with client:
        try:
            version = str((await client.info("server"))["redis_version"])
        except (RedisError, OSError) as exc:
            raise RedisUnavailable(
                f"no Redis answers at {place} ({type(exc).__name__}); check CORNERMAN_REDIS_URL, or unset"
                " it to use the embedded server"
            ) from exc
    if parse_version(version) < MIN_VERSION:
        raise RedisUnavailable(f"the Redis at {place} is {version}; 6.2 or newer is needed")


def _place(url: str) -> str:
    """Host and port, or the socket's path, and nothing else of the URL: it may hold a password anywhere."""
    try:
        parts = urlsplit(url)
        return f"{parts.hostname}:{parts.port or 6379}" if parts.hostname else parts.path
    except ValueError:
        return "the configured URL"
