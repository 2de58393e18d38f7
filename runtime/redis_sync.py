"""A client of redis-py's sync API for the same server or cluster as an asyncio one."""

from __future__ import annotations

from typing import Any

import redis
from redis import connection
from redis.asyncio import Redis, RedisCluster, SSLConnection
from redis.backoff import ExponentialWithJitterBackoff
from redis.cluster import ClusterNode
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


def sync_client(client: Redis | RedisCluster) -> redis.Redis | redis.RedisCluster:
    """Its own pool, which waits for a free connection; the caller closes it. A cluster's connects now."""
    return _cluster(client) if isinstance(client, RedisCluster) else _single(client)


def _single(client: Redis) -> redis.Redis:
    pool = client.connection_pool
    settings = _shared(pool.connection_kwargs)
    kind = getattr(connection, pool.connection_class.__name__)
    if retry := pool.connection_kwargs.get("retry"):
        settings["retry"] = _retry(retry.get_retries())
    # redis-py leaves such constructors without types.
    sync_pool = redis.BlockingConnectionPool(  # type: ignore[no-untyped-call]
        max_connections=_CONNECTIONS, timeout=_WAIT_S, connection_class=kind, **settings
    )
    return redis.Redis.from_pool(sync_pool)


def _cluster(client: RedisCluster) -> redis.RedisCluster:
    known = client.nodes_manager.startup_nodes.values()
    nodes = [ClusterNode(node.host, node.port) for node in known]  # type: ignore[no-untyped-call]  # as above
    settings = _shared(client.connection_kwargs)
    return redis.RedisCluster(
        startup_nodes=nodes,
        address_remap=client.nodes_manager.address_remap,
        retry=_retry(client.retry.get_retries()),
        ssl=client.connection_kwargs["connection_class"] is SSLConnection,
        **settings,
    )


def _shared(given: dict[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in _SHARED if name in given}


def _retry(times: int) -> Retry:
    return Retry(ExponentialWithJitterBackoff(base=0.05, cap=0.5), times)
