"""A client of redis-py's sync API for the same server as an asyncio one."""

from __future__ import annotations

import redis
from redis import connection
from redis.asyncio import Redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.retry import Retry

_SHARED = (
    "host port path db username password credential_provider client_name protocol"
    " socket_timeout socket_connect_timeout socket_keepalive health_check_interval"
    " ssl_keyfile ssl_certfile ssl_password ssl_ca_certs ssl_ca_data ssl_ca_path ssl_cert_reqs"
    " ssl_check_hostname ssl_min_version ssl_ciphers ssl_include_verify_flags ssl_exclude_verify_flags"
).split()
"""Settings that mean the same to both kinds of connection; objects of asyncio's own are left behind."""
_CONNECTIONS = 16
_WAIT_S = 20


def sync_client(client: Redis) -> redis.Redis:
    """Its own pool, which waits for a free connection; the caller closes it."""
    pool = client.connection_pool
    given = pool.connection_kwargs
    kind = getattr(connection, pool.connection_class.__name__)
    settings = {name: given[name] for name in _SHARED if name in given}
    if retry := given.get("retry"):
        settings["retry"] = Retry(ExponentialWithJitterBackoff(base=0.05, cap=0.5), retry.get_retries())
    # redis-py leaves this constructor without types.
    sync_pool = redis.BlockingConnectionPool(  # type: ignore[no-untyped-call]
        max_connections=_CONNECTIONS, timeout=_WAIT_S, connection_class=kind, **settings
    )
    return redis.Redis.from_pool(sync_pool)
