"""The stock blocking Python SDK on a project of its own graphs, over SSE and over WebSocket."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import sleep
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from anyio.from_thread import start_blocking_portal
from langgraph_sdk import get_sync_client
from langgraph_sdk.errors import ConflictError, NotFoundError

from terminal.proxy import open_proxy
from tests.bounded import bounded
from tests.protocol_lines import (
    AGENT_ASKS,
    AGENT_GOES_ON,
    ASK,
    CHANNELS,
    QUESTION,
    TEAM,
    Event,
    ends_run,
    ids_and_texts,
    lines,
    work,
)


@pytest.fixture
def client(project_url: str) -> Iterator[Any]:
    with get_sync_client(url=project_url) as client:
        yield client


@pytest.fixture(params=["sse", "websocket"])
def transport(request: pytest.FixtureRequest) -> Any:
    return request.param


# Closing a blocking SSE session takes a second for each of its reading threads: the SDK's own time-out.
socket_only = pytest.mark.parametrize("transport", ["websocket"])


def follow(thread: Any, channels: list[str] = CHANNELS) -> list[Event]:
    """The events up to the end or the pause of the run."""
    events = []
    for event in thread.subscribe(channels):
        events.append(event)
        if ends_run(event):
            break
    return events


def asked(thread: Any, count: int = 1) -> list[str]:
    """The ids of the interrupts, once there are `count`."""
    while len(thread.interrupts) < count:
        sleep(0.01)
    return [interrupt["interrupt_id"] for interrupt in thread.interrupts]


@bounded
def test_the_whole_transcript(client: Any, transport: Any) -> None:
    """Every channel of a run, its pause and what follows, in order; no number is left out."""
    with client.threads.stream(assistant_id="agent", transport=transport) as thread:
        thread.run.start(input=ASK)
        before = follow(thread)
        asked(thread)
        assert thread.interrupts[0]["value"] == QUESTION
        thread.run.respond("yes")
        after = follow(thread)
        output = thread.output
    assert lines(before) == AGENT_ASKS
    assert lines(after) == AGENT_GOES_ON
    assert [event["seq"] for event in (*before, *after)] == list(range(1, len(before) + len(after) + 1))
    assert output["steps"] == ["greet", "asked:yes", "close"]


@socket_only
@bounded
def test_values(client: Any, transport: Any) -> None:
    """The last snapshot is the state."""
    with client.threads.stream(assistant_id="slow", transport=transport) as thread:
        thread.run.start(input=work("a", "b"))
        snapshots = list(thread.values)
        output = thread.output
    assert snapshots[-1]["done"] == output["done"] == ["a", "b"]
    assert ids_and_texts(snapshots[-1]["messages"]) == ids_and_texts(output["messages"])


@socket_only
@bounded
def test_messages(client: Any, transport: Any) -> None:
    """With the ids and the texts that the state then has."""
    with client.threads.stream(assistant_id="team", transport=transport) as thread:
        thread.run.start(input=ASK)
        said = [(message.message_id, str(message.text)) for message in thread.messages]
        output = thread.output
    assert said == ids_and_texts(output["messages"])


@socket_only
@bounded
def test_tool_calls(client: Any, transport: Any) -> None:
    """Name, input and output of a call."""
    with client.threads.stream(assistant_id="team", transport=transport) as thread:
        thread.run.start(input=ASK)
        (call,) = list(thread.tool_calls)
        output = call.output
    assert (call.name, call.input["description"]) == ("task", "tides")
    assert (output["content"], output["status"]) == ("Three sources on tides.", "success")


@socket_only
@bounded
def test_a_subagent(client: Any, transport: Any) -> None:
    """It is found and speaks in its own namespace."""
    with client.threads.stream(assistant_id="team", transport=transport) as thread:
        thread.run.start(input=ASK)
        (child,) = list(thread.subagents)
        # The SDK fills a child's message only while the projection is iterated, so it is read afterwards.
        said = [str(message.text) for message in list(child.messages)]
    assert (child.status, said) == ("completed", ["Three sources on tides."])


@socket_only
@bounded
def test_a_subgraph(client: Any, transport: Any) -> None:
    """A graph that is a node is a child with messages."""
    with client.threads.stream(assistant_id="agent", transport=transport) as thread:
        thread.run.start(input=ASK)
        asked(thread)
        thread.run.respond("yes")
        (child,) = list(thread.subgraphs)
        said = [str(message.text) for message in list(child.messages)]
    assert (child.graph_name, said) == ("nested", ["From the inside."])


@socket_only
@bounded
def test_custom_channels(client: Any, transport: Any) -> None:
    """The data as the node wrote it."""
    with client.threads.stream(assistant_id="agent", transport=transport) as thread:
        thread.run.start(input=ASK)
        progress = list(thread.extensions["progress"])
    assert progress == [{"name": "progress", "payload": {"said": said}} for said in (0, 20)]


@socket_only
@bounded
def test_questions_one_after_another(client: Any, transport: Any) -> None:
    """Two at once are answered one by one, under the ids they had, and a third follows."""
    with client.threads.stream(assistant_id="asks", transport=transport) as thread:
        thread.run.start(input={"answers": []})
        first, second = asked(thread, 2)
        thread.run.respond("A", interrupt_id=first)
        follow(thread)
        thread.run.respond("B", interrupt_id=second)
        while (third := asked(thread)[-1]) in (first, second):
            sleep(0.01)
        thread.run.respond("C", interrupt_id=third)
        output = thread.output
    assert output == {"answers": ["colour=A", "size=B", "confirm=C"]}


@bounded
def test_a_socket_that_is_cut(client: Any, project_url: str, transport: Any) -> None:
    """Though its connections are cut every few events, a session has each event once, in order."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(open_proxy(urlsplit(project_url).port or 0)) as proxy,
        get_sync_client(url=proxy.url) as cut,
        cut.threads.stream(assistant_id="slow", transport=transport) as thread,
    ):
        thread.run.start(input=work("a", "b", "c"))
        events = []
        for event in thread.subscribe(CHANNELS):
            events.append(event)
            if ends_run(event):
                break
            if len(events) % 7 == 0 and proxy.cuts < 8:
                portal.call(proxy.cut)
    with client.threads.stream(thread.thread_id, assistant_id="slow", transport=transport) as other:
        assert other.output["done"] == ["a", "b", "c"]
    assert proxy.cuts >= 4
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert lines(events).count("message-finish") == 3 and lines(events)[-1] == "lifecycle completed"


@bounded
def test_cancel(client: Any, transport: Any) -> None:
    """What waits for the run ends with it, and the thread is free."""
    with client.threads.stream(assistant_id="slow", transport=transport) as thread:
        run = thread.run.start(input=work(*"abcdefgh"))
        for event in thread.subscribe(["messages"]):
            if event["params"]["data"]["event"] == "message-finish":
                client.runs.cancel(thread.thread_id, run["run_id"], wait=True)
                break
        with pytest.raises(RuntimeError, match="Run cancelled"):
            _ = thread.output
    assert client.runs.get(thread.thread_id, run["run_id"])["status"] == "interrupted"
    assert client.threads.get(thread.thread_id)["status"] == "idle"


@socket_only
@bounded
def test_many_threads_at_once(client: Any, project_url: str, transport: Any) -> None:
    """Each has its own transcript, whole."""

    def one(topic: str) -> list[str]:
        own = get_sync_client(url=project_url)
        with own, own.threads.stream(assistant_id="team", transport=transport) as thread:
            thread.run.start(input={"messages": [{"role": "user", "content": topic}]})
            return lines(follow(thread))

    topics = [f"tides-{number}" for number in range(4)]
    with ThreadPoolExecutor(len(topics)) as pool:
        seen = list(pool.map(one, topics))
    assert seen == [[said.replace("tides", topic) for said in TEAM] for topic in topics]


@socket_only
@bounded
def test_update_state_and_fork(client: Any, transport: Any) -> None:
    """A busy thread refuses; a paused one goes on from what was written; a checkpoint can be forked."""
    thread_id = str(uuid4())
    with client.threads.stream(thread_id, assistant_id="slow", transport=transport) as thread:
        thread.run.start(input=work("a", "b", "c"))
        with pytest.raises(ConflictError):
            client.threads.update_state(thread_id, {"done": ["too early"]})
        assert thread.output["done"] == ["a", "b", "c"]
    history = client.threads.get_history(thread_id, limit=20)
    (point,) = [state for state in history if state["values"].get("done") == ["a"]]
    written = client.threads.update_state(
        thread_id, {"todo": ["x"]}, checkpoint=point["checkpoint"], as_node="step"
    )
    where = {"checkpoint_id": written["checkpoint"]["checkpoint_id"]}
    with client.threads.stream(thread_id, assistant_id="slow", transport=transport) as thread:
        thread.run.start(config={"configurable": where})
        assert lines(follow(thread))[-1] == "lifecycle completed"
    assert client.threads.get_state(thread_id)["values"]["done"] == ["a", "x"]


@bounded
def test_the_other_calls(client: Any) -> None:
    """Threads, runs, stateless runs, assistants and the store, each once."""
    thread_id = client.threads.create(metadata={"mark": uuid4().hex})["thread_id"]
    run = client.runs.create(thread_id, "slow", input=work("a"))
    assert client.runs.join(thread_id, run["run_id"])["done"] == ["a"]
    assert client.runs.get(thread_id, run["run_id"])["status"] == "success"
    parts = list(client.runs.stream(thread_id, "slow", input={"todo": ["b"]}, stream_mode="updates"))
    assert [part.event for part in parts] == ["metadata", "updates"]
    assert len(client.runs.list(thread_id)) == 2
    assert client.runs.wait(None, "slow", input=work("a"))["done"] == ["a"]
    (found,) = client.assistants.search(graph_id="agent", limit=1)
    assert client.assistants.get_schemas(found["assistant_id"])["graph_id"]
    namespace = [uuid4().hex]
    client.store.put_item(namespace, "k", {"v": 1})
    assert client.store.search_items(namespace)["items"][0]["value"] == {"v": 1}
    copy = client.threads.copy(thread_id)["thread_id"]
    assert client.threads.get_state(copy)["values"]["done"] == ["a", "b"]
    client.threads.delete(copy)
    with pytest.raises(NotFoundError):
        client.threads.get(copy)
