"""Redis Cluster: calls that travel together part at the nodes, and a dead node is not the others' trouble."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import anyio
import pytest
import redis
from redis.asyncio import RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from runtime.checkpoint_thread import run_key
from runtime.checkpoints import RedisSaver
from runtime.errors import RedisUnavailable
from runtime.keys import tagged
from tests.checkpointing import Steps, at
from tests.servers import Server, running

# redis-py lets go of a dead node's connections without closing them.
pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore::ResourceWarning")]

THREADS = [f"acme/{number}" for number in range(30)]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Server]:
    """One of the test's own: a node of it will be shut down."""
    with running("cluster", tmp_path) as cluster:
        yield cluster


@pytest.fixture
async def client(cluster: Server) -> AsyncIterator[RedisCluster]:
    async with RedisCluster.from_url(cluster.url, retry=Retry(NoBackoff(), 1)) as client:
        yield client
    gc.collect()  # While their warnings are ignored.


def node_of(client: RedisCluster, key: str) -> tuple[str, int]:
    node = client.get_node_from_key(key)
    assert node is not None
    return str(node.host), int(node.port)


def shut_down(node: tuple[str, int]) -> None:
    host, port = node
    with redis.Redis(host, port) as direct:
        direct.shutdown(nosave=True)


async def test_a_dead_node_fails_only_its_own_threads(client: RedisCluster) -> None:
    """All calls are under way at once and share round trips; each gets its own outcome, never another's."""
    saver = RedisSaver(client)
    workers = {thread: Steps(saver, thread) for thread in THREADS}
    for thread, steps in workers.items():
        await steps.put(name=thread)
    dead = node_of(client, tagged(THREADS[0], "c"))
    on_dead = {thread for thread in THREADS if node_of(client, tagged(thread, "c")) == dead}
    assert 0 < len(on_dead) < len(THREADS)
    shut_down(dead)
    answers: dict[str, object] = {}

    async def ask(thread: str) -> None:
        try:
            found = await saver.aget_tuple(at(thread))
            answers[thread] = found and found.checkpoint["channel_values"]
        except RedisUnavailable:
            answers[thread] = "down"

    async with anyio.create_task_group() as tasks:
        for thread in THREADS:
            tasks.start_soon(ask, thread)
    assert answers == {t: "down" if t in on_dead else {"name": t} for t in THREADS}


async def test_a_connection_that_is_closed_while_it_is_used(
    client: RedisCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """redis-py writes to None then, seldom, when a node dies: a node that is down, not a fault of ours."""
    saver, thread = RedisSaver(client), THREADS[0]
    await Steps(saver, thread).put(name=thread)

    async def closed(*_: object, **__: object) -> None:
        raise AttributeError("'NoneType' object has no attribute 'writelines'")

    monkeypatch.setattr(client, "execute_command", closed)
    with pytest.raises(RedisUnavailable):
        await saver.aget_tuple(at(thread))


async def test_a_checkpoint_is_never_stored_before_its_run_is_known(client: RedisCluster) -> None:
    """The set of the run's threads lives on another node: while it is down, nothing is stored."""
    saver, thread = RedisSaver(client), THREADS[0]
    home = node_of(client, tagged(thread, "c"))
    run = next(f"r{i}" for i in range(100) if node_of(client, run_key(f"r{i}")) != home)
    shut_down(node_of(client, run_key(run)))
    with pytest.raises(RedisUnavailable):
        await Steps(saver, thread, run_id=run).put(x=1)
    assert await saver.aget_tuple(at(thread)) is None


async def test_a_slot_that_moves_is_followed(client: RedisCluster) -> None:
    """The saver's map of the cluster is old after a resharding; the nodes redirect, and nothing is lost."""
    saver, thread = RedisSaver(client), THREADS[0]
    steps = Steps(saver, thread)
    await steps.put(x=1)
    source = node_of(client, tagged(thread, "c"))
    target = next(n for n in [node_of(client, tagged(t, "c")) for t in THREADS] if n != source)
    move(client.keyslot(tagged(thread, "c")), source, target)
    await steps.put(x=2)
    found = await saver.aget_tuple(at(thread))
    assert found is not None and found.checkpoint["channel_values"] == {"x": 2}
    assert [one.checkpoint["channel_values"]["x"] for one in saver.list(at(thread))] == [2, 1]
    saver.close()


def move(slot: int, source: tuple[str, int], target: tuple[str, int]) -> None:
    """Gives a slot and its keys to another node, as resharding does."""
    with redis.Redis(*source) as giver, redis.Redis(*target) as taker:
        giver_id, taker_id = (
            giver.execute_command("CLUSTER", "MYID"),
            taker.execute_command("CLUSTER", "MYID"),
        )
        taker.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", giver_id)
        giver.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", taker_id)
        for key in giver.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 100):
            giver.migrate(*target, key, 0, 5000)
        for node in (taker, giver):
            node.execute_command("CLUSTER", "SETSLOT", slot, "NODE", taker_id)
