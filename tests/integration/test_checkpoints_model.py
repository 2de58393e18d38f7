"""Random operations, with LangGraph's InMemorySaver as the model of what each must answer."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, cast

import pytest
import redis
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from langgraph.checkpoint.base import ChannelVersions, CheckpointMetadata, CheckpointTuple
from langgraph.checkpoint.base.id import uuid6
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from runtime.checkpoints import RedisSaver
from runtime.embedded_redis import embedded_redis
from runtime.redis import connect
from tests.checkpointing import at, history

THREADS = st.sampled_from(["acme/1", "acme/2"])
NAMESPACES = st.sampled_from(["", "sub:{1}"])
RUNS = st.sampled_from([f"r{number}" for number in range(6)])
_LINES = [f"line {number} of a log so long that its chunks are in groups" for number in range(280)]
_CHANGES: list[dict[str, Any]] = [
    {},
    {"small": None},
    {"small": 1, "text": "long " * 100},
    {"state": {"list": history(8), "n": 1}},
    {"state": {}, "text": "short"},
    *({"messages": history(30)[:length]} for length in (1, 9, 20, 40, 59, 60)),
    {"messages": history(30)[5:], "small": 0},
    *({"log": _LINES[:length]} for length in (280, 279)),
]
CHANGES = st.sampled_from(_CHANGES)
"""Chosen whole: the fewer choices a step needs, the more steps an example has."""


class Savers(RuleBasedStateMachine):
    """Two savers of one Redis, as in two processes, and the model."""

    url = ""
    operations = 0
    """Of all examples."""

    def __init__(self) -> None:
        super().__init__()
        with redis.Redis.from_url(self.url) as client:
            client.flushall()
        self.savers = [RedisSaver(connect(self.url)) for _ in range(2)]
        self.model = InMemorySaver(serde=JsonPlusSerializer(allowed_msgpack_modules=None))
        self.made: list[tuple[str, str, str]] = []

    def teardown(self) -> None:
        for saver in self.savers:
            saver.close()

    def choose(self, data: st.DataObject) -> RedisSaver:
        """The saver of the next operation."""
        Savers.operations += 1
        return data.draw(st.sampled_from(self.savers))

    @rule(data=st.data(), thread=THREADS, namespace=NAMESPACES, run=RUNS)
    def put(self, data: st.DataObject, thread: str, namespace: str, run: str) -> None:
        """After the newest checkpoint, or from any other: a branch."""
        ids = [made[2] for made in self.made if made[:2] == (thread, namespace)]
        parent_id = data.draw(st.sampled_from(["", *ids[-3:]])) if ids else ""
        for _ in range(2):
            saver = self.choose(data)
            parent_id = self.step(saver, data.draw(CHANGES), run, at(thread, namespace, parent_id))
            self.made.append((thread, namespace, parent_id))
            self.compare(saver, thread, namespace, limit=2)

    def step(self, saver: RedisSaver, changed: dict[str, Any], run: str, config: Any) -> str:
        parent = self.model.get_tuple(config)
        before: Any = parent.checkpoint if parent else {"channel_values": {}, "channel_versions": {}}
        new: ChannelVersions = {
            c: saver.get_next_version(before["channel_versions"].get(c), None) for c in changed
        }
        count = len(self.made)
        checkpoint: Any = {
            "v": 4,
            "id": str(uuid6(clock_seq=count)),
            "ts": "",
            "channel_values": {**before["channel_values"], **changed},
            "channel_versions": {**before["channel_versions"], **new},
            "versions_seen": {},
        }
        place = config["configurable"]
        parent_id = parent.config["configurable"]["checkpoint_id"] if parent else ""
        config = at(place["thread_id"], place["checkpoint_ns"], parent_id)
        metadata = cast(CheckpointMetadata, {"step": count % 3, "run_id": run})
        stored = saver.put(config, checkpoint.copy(), metadata, new)
        assert stored == self.model.put(config, checkpoint.copy(), metadata, new)
        return str(checkpoint["id"])

    @rule(data=st.data(), changes=CHANGES, error=st.booleans())
    def write(self, data: st.DataObject, changes: dict[str, Any], error: bool) -> None:
        if self.made:
            thread, namespace, checkpoint_id = data.draw(st.sampled_from(self.made[-6:]))
            task, path = data.draw(st.sampled_from([("t1", "~2"), ("t2", "~1"), ("t3", "")]))
            values = [*changes.items(), *([("__error__", len(self.made))] if error else [])]
            config, saver = at(thread, namespace, checkpoint_id), self.choose(data)
            saver.put_writes(config, values, task, path)
            self.model.put_writes(config, values, task, path)
            self.compare(saver, thread, namespace, limit=2)

    @rule(data=st.data(), thread=THREADS, namespace=NAMESPACES)
    def get(self, data: st.DataObject, thread: str, namespace: str) -> None:
        checkpoint_id = data.draw(st.sampled_from(["", *[made[2] for made in self.made[-8:]]]))
        config = at(thread, namespace, checkpoint_id)
        assert plain(self.choose(data).get_tuple(config)) == plain(self.model.get_tuple(config))

    @rule(
        data=st.data(),
        thread=THREADS,
        namespace=NAMESPACES,
        limit=st.none() | st.integers(0, 4),
        filter=st.sampled_from([None, {"step": 1}, {"step": 2, "run_id": "r1"}]),
    )
    def list_(self, data: st.DataObject, thread: str, namespace: str, limit: int | None, filter: Any) -> None:
        bound = data.draw(st.sampled_from(["", *[made[2] for made in self.made[-8:]]]))
        before = at(thread, namespace, bound) if bound else None
        asked: Any = {"filter": filter, "before": before, "limit": limit}
        ours = [plain(one) for one in self.choose(data).list(at(thread, namespace), **asked)]
        assert ours == [plain(one) for one in self.model.list(at(thread, namespace), **asked)]

    @rule(data=st.data(), thread=THREADS, namespace=NAMESPACES)
    def delta_history(self, data: st.DataObject, thread: str, namespace: str) -> None:
        asked: Any = {"config": at(thread, namespace), "channels": ["messages", "small", "none"]}
        ours = self.choose(data).get_delta_channel_history(**asked)
        assert ours == self.model.get_delta_channel_history(**asked)

    @rule(data=st.data(), what=st.sampled_from(["delete", "copy", "prune", "delete_run"]), thread=THREADS)
    def maintain(self, data: st.DataObject, what: str, thread: str) -> None:
        """One rule for all that removes, or little would be there to remove."""
        saver = self.choose(data)
        if what == "delete":
            saver.delete_thread(thread)
            self.model.delete_thread(thread)
        elif what == "copy":
            self.copy(saver, thread, data.draw(THREADS))
        elif what == "prune":
            saver.prune([thread])
            for namespace, stored in self.model.storage[thread].items():
                self.drop(thread, namespace, [one for one in stored if one != max(stored)])
        else:
            self.delete_run(saver, data.draw(RUNS))
        for namespace in list(self.model.storage[thread]):
            self.compare(saver, thread, namespace)

    def copy(self, saver: RedisSaver, source: str, target: str) -> None:
        saver.copy_thread(source, target)
        if source != target and any(self.model.storage[source].values()):
            self.model.delete_thread(target)
            self.model.storage[target] = deepcopy(self.model.storage[source])
            tables: list[Any] = [self.model.writes, self.model.blobs]
            for table in tables:
                taken = {key: value for key, value in table.items() if key[0] == source}
                table.update({(target, *key[1:]): deepcopy(value) for key, value in taken.items()})

    def delete_run(self, saver: RedisSaver, run: str) -> None:
        saver.delete_for_runs([run])
        loads = self.model.serde.loads_typed
        for thread, namespaces in self.model.storage.items():
            for namespace, stored in namespaces.items():
                gone = [one for one, (_, metadata, _) in stored.items() if loads(metadata)["run_id"] == run]
                self.drop(thread, namespace, gone)

    def drop(self, thread: str, namespace: str, gone: list[str]) -> None:
        """From the model: checkpoints and their writes; a parent is the nearest ancestor that is left."""
        stored = self.model.storage[thread][namespace]
        above = {checkpoint_id: parent for checkpoint_id, (_, _, parent) in stored.items()}
        for checkpoint_id in gone:
            del stored[checkpoint_id]
            self.model.writes.pop((thread, namespace, checkpoint_id), None)
        for checkpoint_id, (checkpoint, metadata, parent) in stored.items():
            while parent and parent not in stored:
                parent = above.get(parent)
            stored[checkpoint_id] = (checkpoint, metadata, parent)

    def compare(self, saver: RedisSaver, thread: str, namespace: str, limit: int | None = None) -> None:
        config = at(thread, namespace)
        ours, model = saver.list(config, limit=limit), self.model.list(config, limit=limit)
        assert [plain(one) for one in ours] == [plain(one) for one in model]


def plain(found: CheckpointTuple | None) -> Any:
    """All but the config, into which the model puts whatever it was asked with."""
    return found and {
        "checkpoint": found.checkpoint,
        "metadata": found.metadata,
        "parent": found.parent_config,
        "writes": found.pending_writes,
    }


@pytest.fixture
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(embedded_redis(tmp_path_factory.mktemp("redis"))) as socket,
    ):
        yield f"unix://{socket}"


@pytest.mark.usefixtures("unmeasured")
def test_random_operations_answer_as_the_model_does(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand in whatever order: never a wrong or a half-read state."""
    monkeypatch.setattr(Savers, "url", url)
    monkeypatch.setattr(Savers, "operations", 0)
    run_state_machine_as_test(
        Savers,
        settings=settings(
            max_examples=230,
            stateful_step_count=50,
            derandomize=True,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert Savers.operations >= 10_000
