"""The stock asynchronous Python SDK on a project of its own graphs, over SSE and over WebSocket."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import anyio
import httpx
import pytest
from langgraph_sdk import get_client
from langgraph_sdk.errors import ConflictError

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
    spoken,
    work,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
def client(project_client: Any) -> Any:
    """Short, since every test here speaks by it."""
    return project_client


@pytest.fixture(params=["sse", "websocket"])
def transport(request: pytest.FixtureRequest) -> Any:
    return request.param


async def follow(thread: Any, channels: list[str] = CHANNELS) -> list[Event]:
    """The events up to the end or the pause of the run."""
    events = []
    async for event in thread.subscribe(channels):
        events.append(event)
        if ends_run(event):
            break
    return events


async def asked(thread: Any, count: int = 1) -> list[str]:
    """The ids of the interrupts, once there are `count`."""
    while len(thread.interrupts) < count:
        await anyio.sleep(0.01)
    return [interrupt["interrupt_id"] for interrupt in thread.interrupts]


@bounded
async def test_the_whole_transcript(client: Any, transport: Any) -> None:
    """Every channel of a run, its pause and what follows, in order; no number is left out."""
    async with client.threads.stream(assistant_id="agent", transport=transport) as thread:
        await thread.run.start(input=ASK)
        before = await follow(thread)
        await asked(thread)
        await thread.run.respond("yes")
        after = await follow(thread)
    assert lines(before) == AGENT_ASKS
    assert lines(after) == AGENT_GOES_ON
    events = [*before, *after]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert len({event["event_id"] for event in events}) == len(events)
    assert all(event["type"] == "event" for event in events)


@bounded
async def test_values(client: Any, transport: Any) -> None:
    """Snapshots as the steps go, the last of them equal to the state, also without its run's end."""
    async with client.threads.stream(assistant_id="slow", transport=transport) as thread:
        await thread.run.start(input=work("a", "b", "c", pause_s=0.05))
        snapshots = [values async for values in thread.values]
        output = await thread.output
    done = [values["done"] for values in snapshots if values.get("done")]
    assert [have for at, have in enumerate(done) if have not in done[:at]] == [
        ["a"],
        ["a", "b"],
        ["a", "b", "c"],
    ]
    assert ids_and_texts(snapshots[-1]["messages"]) == ids_and_texts(output["messages"])
    assert {**snapshots[-1], "messages": None} == {**output, "messages": None}


@bounded
async def test_updates(client: Any, transport: Any) -> None:
    """What each node changed, of a graph that was compiled without that channel."""
    async with client.threads.stream(assistant_id="slow", transport=transport) as thread:
        await thread.run.start(input=work("a", "b"))
        events = await follow(thread, ["updates", "lifecycle"])
        (state, output) = (await client.threads.get_state(thread.thread_id), await thread.output)
    deltas = [event["params"]["data"]["step"] for event in events if event["method"] == "updates"]
    assert [(delta["done"], delta["todo"]) for delta in deltas] == [(["a"], ["b"]), (["b"], [])]
    said = [message for delta in deltas for message in delta["messages"]]
    assert (
        ids_and_texts(said) == ids_and_texts(state["values"]["messages"]) == ids_and_texts(output["messages"])
    )


@bounded
async def test_messages(client: Any, transport: Any) -> None:
    """Token by token, with the ids and the texts that the state then has."""
    async with client.threads.stream(assistant_id="team", transport=transport) as thread:
        await thread.run.start(input=ASK)
        streams = [stream async for stream in thread.messages]
        tokens = [[token async for token in stream.text] for stream in streams]
        output = await thread.output
    assert [len(said) for said in tokens] == [3, 6]
    said = [(stream.message_id, "".join(words)) for stream, words in zip(streams, tokens, strict=True)]
    assert said == ids_and_texts(output["messages"])


@bounded
async def test_tool_calls(client: Any, transport: Any) -> None:
    """Name, input and output of a call, as the state's tool message has them."""
    async with client.threads.stream(assistant_id="team", transport=transport) as thread:
        await thread.run.start(input=ASK)
        (call,) = [call async for call in thread.tool_calls]
        result, output = await call.output, await thread.output
    assert (call.name, call.tool_call_id) == ("task", "call-task")
    assert call.input == {"description": "tides", "subagent_type": "researcher"}
    (kept,) = [message for message in output["messages"] if message["type"] == "tool"]
    same = ("content", "tool_call_id", "status", "name")
    assert [result[key] for key in same] == [kept[key] for key in same]


@bounded
async def test_a_subagent(client: Any, transport: Any) -> None:
    """It is found, speaks in its own namespace, and knows the call that it works for."""
    async with client.threads.stream(assistant_id="team", transport=transport) as thread:
        await thread.run.start(input=ASK)
        (child,) = [child async for child in thread.subagents]
        (stream,) = [stream async for stream in child.messages]
        streams = [stream async for stream in thread.messages]
        said, *root = [await one.text for one in (stream, *streams)]
    assert (child.graph_name, child.status, said) == ("tools", "completed", "Three sources on tides.")
    assert root == ["I will ask.", "In short: Three sources on tides."]


@bounded
async def test_a_subagents_lifecycle(client: Any, transport: Any) -> None:
    """Its own name and the tool call that caused it, under its own namespace."""
    async with client.threads.stream(assistant_id="team", transport=transport) as thread:
        await thread.run.start(input=ASK)
        events = await follow(thread)
    assert lines(events) == TEAM
    started = next(event for event in events if event["params"]["data"].get("event") == "started")
    data, namespace = started["params"]["data"], started["params"]["namespace"]
    assert (data["graph_name"], data["namespace"]) == ("researcher", namespace)
    assert data["cause"] == {"type": "toolCall", "tool_call_id": "call-task"}


@bounded
async def test_a_subgraph(client: Any, transport: Any) -> None:
    """A graph that is a node is a child with messages; `namespaces` and `depth` choose it."""
    async with client.threads.stream(assistant_id="agent", transport=transport) as thread:
        await thread.run.start(input=ASK)
        await asked(thread)
        await thread.run.respond("yes")
        (child,) = [child async for child in thread.subgraphs]
        (stream,) = [stream async for stream in child.messages]
        said = await stream.text
    assert (child.graph_name, child.status, said) == ("nested", "completed", "From the inside.")


@bounded
async def test_namespaces_and_depth(client: Any, transport: Any) -> None:
    """A filter by namespace gives that part of the transcript and no more."""
    async with client.threads.stream(assistant_id="team", transport=transport) as thread:
        await thread.run.start(input=ASK)
        inner = [event async for event in thread.subscribe(["messages"], namespaces=[["tools"]])]
    async with client.threads.stream(assistant_id="team", transport=transport) as thread:
        await thread.run.start(input=ASK)
        outer = [event async for event in thread.subscribe(["messages"], namespaces=[[]], depth=0)]
    assert lines(inner) == [one for one in TEAM if one in lines(inner)] != []
    assert all(event["params"]["namespace"] for event in inner)
    assert lines(outer) == [*spoken("I will ask.", call=True), *spoken("In short: Three sources on tides.")]


@bounded
@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("progress", [{"name": "progress", "payload": {"said": said}} for said in (0, 20)]),
        ("question", [{"name": "question", "asked": QUESTION["question"]}]),
    ],
)
async def test_custom_channels(client: Any, transport: Any, name: str, written: list[Any]) -> None:
    """Each name is an extension of its own, its data as the node wrote it."""
    async with client.threads.stream(assistant_id="agent", transport=transport) as thread:
        await thread.run.start(input=ASK)
        assert [data async for data in thread.extensions[name]] == written


@bounded
async def test_interleaved_projections(client: Any, transport: Any) -> None:
    """Several projections on one subscription come in the order of the run."""
    async with client.threads.stream(assistant_id="team", transport=transport) as thread:
        await thread.run.start(input=ASK)
        wanted = ["messages", "tool_calls", "subgraphs", "updates"]
        order = [channel async for channel, _ in thread.interleave_projections(wanted)]
    assert order == ["messages", "updates", "tool_calls", "subgraphs", "updates", "messages", "updates"]


@bounded
async def test_checkpoints(client: Any, transport: Any) -> None:
    """Each stands before the values that it keeps, and is the one that the history has."""
    async with client.threads.stream(assistant_id="slow", transport=transport) as thread:
        await thread.run.start(input=work("a", "b"))
        events = await follow(thread, ["checkpoints", "values", "lifecycle"])
        history = await client.threads.get_history(thread.thread_id, limit=20)
    found = [event["params"]["data"] for event in events if event["method"] == "checkpoints"]
    kept = [state["checkpoint"]["checkpoint_id"] for state in reversed(history)]
    assert [checkpoint["id"] for checkpoint in found] == kept
    assert [(checkpoint["step"], checkpoint["source"]) for checkpoint in found] == [
        (-1, "input"),
        (0, "loop"),
        (1, "loop"),
        (2, "loop"),
    ]
    assert [checkpoint.get("parent_id") for checkpoint in found] == [None, *kept[:-1]]
    methods = [event["method"] for event in events]
    assert methods == ["lifecycle", "checkpoints", *["checkpoints", "values"] * 3, "lifecycle"]


@bounded
async def test_tasks(client: Any, transport: Any) -> None:
    """Each task as it starts and as it ends, under one id, with what it wrote or asked."""
    async with client.threads.stream(assistant_id="agent", transport=transport) as thread:
        await thread.run.start(input=ASK)
        events = await follow(thread, ["tasks", "lifecycle"])
    tasks = [event["params"]["data"] for event in events if event["method"] == "tasks"]
    ended = ["greet", "tools", "ask"]
    assert [task["name"] for task in tasks] == [name for name in ended for _ in range(2)]
    for start, end in zip(tasks[::2], tasks[1::2], strict=True):
        assert start["id"] == end["id"] and start["triggers"] and "result" not in start
    assert tasks[1]["result"]["steps"] == ["greet"]
    assert [interrupt["value"] for interrupt in tasks[-1]["interrupts"]] == [QUESTION]


@bounded
async def test_a_question_and_its_answer(client: Any, transport: Any) -> None:
    """The client has the interrupt's value; answered, it is gone, and cannot be answered again."""
    async with client.threads.stream(assistant_id="agent", transport=transport) as thread:
        await thread.run.start(input=ASK)
        async for _ in thread.values:
            pass
        (interrupt_id,) = await asked(thread)
        assert thread.interrupted and thread.interrupts[0]["value"] == QUESTION
        paused = await client.threads.get_state(thread.thread_id)
        assert paused["next"] == ["ask"]
        assert [(i["id"], i["value"]) for i in paused["interrupts"]] == [(interrupt_id, QUESTION)]
        await thread.run.respond("gladly")
        output = await thread.output
        with pytest.raises(RuntimeError, match="no_such_interrupt"):
            await respond(client, thread.thread_id, interrupt_id=interrupt_id, response="again")
    assert output["steps"] == ["greet", "asked:gladly", "close"]
    state = await client.threads.get_state(thread.thread_id)
    assert (state["interrupts"], state["next"]) == ([], [])


async def respond(client: Any, thread_id: str, **params: Any) -> None:
    """An `input.respond` that the SDK offers no method for. Raises RuntimeError, as the SDK does."""
    command = {"id": 1, "method": "input.respond", "params": params}
    response: httpx.Response = await client.http.client.post(f"/threads/{thread_id}/commands", json=command)
    if (answer := response.json())["type"] == "error":
        raise RuntimeError(f"{answer['error']}: {answer['message']}")


@bounded
async def test_two_questions_answered_together(client: Any, transport: Any) -> None:
    """Both interrupts of one step come before the pause; one command answers both; a third follows."""
    async with client.threads.stream(assistant_id="asks", transport=transport) as thread:
        await thread.run.start(input={"answers": []})
        first = await follow(thread)
        ids = await asked(thread, 2)
        given = [{"interrupt_id": i, "namespace": [], "response": r} for i, r in zip(ids, "AB", strict=True)]
        await respond(client, thread.thread_id, responses=given)
        second = await follow(thread)
        *_, last = await asked(thread, 3)
        await thread.run.respond("C", interrupt_id=last)
        output = await thread.output
    questions = ["asked Which colour?", "asked Which size?", "lifecycle interrupted"]
    assert lines(first)[-3:] == questions
    assert lines(second)[-2:] == [f"asked {{'given': {['colour=A', 'size=B']}}}", "lifecycle interrupted"]
    assert output == {"answers": ["colour=A", "size=B", "confirm=C"]}


@bounded
async def test_two_questions_answered_one_by_one(client: Any, transport: Any) -> None:
    """An answer leaves the other question open, under the id that it had."""
    async with client.threads.stream(assistant_id="asks", transport=transport) as thread:
        await thread.run.start(input={"answers": []})
        ids = await asked(thread, 2)
        await thread.run.respond("A", interrupt_id=ids[0])
        await follow(thread)
        state = await client.threads.get_state(thread.thread_id)
        assert [i["id"] for i in state["interrupts"]] == [ids[1]]
        await thread.run.respond("B", interrupt_id=ids[1])
        await follow(thread)
        values = (await client.threads.get_state(thread.thread_id))["values"]
    assert values == {"answers": ["colour=A", "size=B"]}


@bounded
async def test_a_question_survives_its_session(client: Any, transport: Any) -> None:
    """Another session sees the interrupt and answers it."""
    thread_id = str(uuid4())
    async with client.threads.stream(thread_id, assistant_id="agent", transport=transport) as thread:
        await thread.run.start(input=ASK)
        await asked(thread)
    async with client.threads.stream(thread_id, assistant_id="agent", transport=transport) as thread:
        await asked(thread)
        await thread.run.respond("later")
        output = await thread.output
    assert output["steps"] == ["greet", "asked:later", "close"]


@bounded
@pytest.mark.parametrize("every", [2, 9])
async def test_a_socket_that_is_cut(client: Any, project_url: str, transport: Any, every: int) -> None:
    """Though its connections are cut every few events, a session has each event once, as another has."""
    async with open_proxy(urlsplit(project_url).port or 0) as proxy:
        cut = get_client(url=proxy.url)
        async with (
            cut.threads.stream(assistant_id="slow", transport=transport) as thread,
            client.threads.stream(thread.thread_id, assistant_id="slow", transport=transport) as other,
        ):
            await thread.run.start(input=work("a", "b", "c"))
            events = []
            async for event in thread.subscribe(CHANNELS):
                events.append(event)
                if ends_run(event):
                    break
                if len(events) % every == 0 and proxy.cuts < 12:
                    proxy.cut()
            undisturbed = await follow(other)
        await cut.aclose()
    assert proxy.cuts >= 4
    assert events == undisturbed
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))


@bounded
async def test_a_second_session_joins_a_run(client: Any, transport: Any) -> None:
    """It has the whole of the run that is going on."""
    async with client.threads.stream(assistant_id="slow", transport=transport) as thread:
        await thread.run.start(input=work("a", "b", "c"))
        first = aiter(thread.subscribe(CHANNELS))
        seen = [await anext(first) for _ in range(12)]
        async with client.threads.stream(thread.thread_id, assistant_id="slow", transport=transport) as other:
            joined = await follow(other)
        seen += [event async for event in first]
    assert joined == seen


@bounded
async def test_cancel(client: Any, transport: Any) -> None:
    """What waits for the run ends with it, in the middle of a message, and the thread is free."""
    async with client.threads.stream(assistant_id="slow", transport=transport) as thread:
        run = await thread.run.start(input=work("a", "b", "c", "d", "e"))
        events = []
        async for event in thread.subscribe(CHANNELS):
            events.append(event)
            if lines(events).count("delta ' now'") == 2 and lines([event]) == ["delta ' now'"]:
                await client.runs.cancel(thread.thread_id, run["run_id"], wait=True)
        with pytest.raises(RuntimeError, match="Run cancelled"):
            await thread.output
    assert lines(events)[-1] == "lifecycle failed"
    assert (await client.runs.get(thread.thread_id, run["run_id"]))["status"] == "interrupted"
    assert (await client.threads.get(thread.thread_id))["status"] == "idle"
    again = await client.runs.wait(thread.thread_id, "slow", input={"todo": ["f"]})
    # The cancel races the end of the second, of which it follows the last word.
    assert again["done"] in (["a", "f"], ["a", "b", "f"])


@bounded
async def test_cancel_of_a_run_that_waits(client: Any, transport: Any) -> None:
    """It ends too, with an event of its own; the run before it goes on to its end."""
    thread_id, ended = str(uuid4()), {}
    async with client.threads.stream(thread_id, assistant_id="slow", transport=transport) as thread:
        events = thread.events
        first = await thread.run.start(input=work("a", "b", "c"))
        waiting = await thread.run.start(input={"todo": ["never"]})
        await client.runs.cancel(thread_id, waiting["run_id"])
        assert (await client.runs.get(thread_id, waiting["run_id"]))["status"] == "interrupted"
        async for event in events:
            # A subscription would end with the first of them.
            if event.get("type") == "event" and ends_run(event):
                ended[event["event_id"].split(":")[1]] = event["params"]["data"]["event"]
            if len(ended) == 2:
                break
    assert ended == {waiting["run_id"]: "failed", first["run_id"]: "completed"}
    assert (await client.threads.get_state(thread_id))["values"]["done"] == ["a", "b", "c"]


@bounded
async def test_a_run_that_fails(client: Any, transport: Any) -> None:
    """Its error comes out of what waits for it; what it had said before is kept."""
    async with client.threads.stream(assistant_id="fails", transport=transport) as thread:
        run = await thread.run.start(input=ASK)
        events = await follow(thread)
        with pytest.raises(RuntimeError):
            await thread.output
    assert lines(events)[-1] == "lifecycle failed"
    assert (await client.runs.get(thread.thread_id, run["run_id"]))["status"] == "error"
    assert (await client.threads.get(thread.thread_id))["status"] == "error"
    state = await client.threads.get_state(thread.thread_id)
    assert [text for _, text in ids_and_texts(state["values"]["messages"])] == ["All is well."]


@bounded
async def test_many_threads_at_once(client: Any, transport: Any) -> None:
    """Each has its own transcript, whole, and its own answer."""
    seen: dict[str, list[str]] = {}

    async def one(topic: str) -> None:
        async with client.threads.stream(assistant_id="team", transport=transport) as thread:
            await thread.run.start(input={"messages": [{"role": "user", "content": topic}]})
            seen[topic] = lines(await follow(thread))

    topics = [f"tides-{number}" for number in range(8)]
    async with anyio.create_task_group() as tasks:
        for topic in topics:
            tasks.start_soon(one, topic)
    assert seen == {topic: [one.replace("tides", topic) for one in TEAM] for topic in topics}


@bounded
async def test_update_state(client: Any, transport: Any) -> None:
    """On a paused thread it stands for a node, and the run goes on from there; a busy one refuses it."""
    async with client.threads.stream(assistant_id="agent", transport=transport) as thread:
        await thread.run.start(input=ASK)
        await asked(thread)
        changed = await client.threads.update_state(thread.thread_id, {"steps": ["patched"]}, as_node="ask")
        state = await client.threads.get_state(thread.thread_id)
        await thread.run.start()
        output = await thread.output
    assert state["checkpoint"]["checkpoint_id"] == changed["checkpoint"]["checkpoint_id"]
    assert (state["next"], state["interrupts"]) == (["nested"], [])
    assert output["steps"] == ["greet", "patched", "close"]
    async with client.threads.stream(assistant_id="slow", transport=transport) as thread:
        run = await thread.run.start(input=work("a", "b", "c"))
        with pytest.raises(ConflictError):
            await client.threads.update_state(thread.thread_id, {"done": ["too early"]})
        await client.runs.cancel(thread.thread_id, run["run_id"], wait=True)


@bounded
async def test_fork(client: Any, transport: Any) -> None:
    """A run from an earlier checkpoint repeats what came after it, and both branches stay in the history."""
    thread_id = str(uuid4())
    async with client.threads.stream(thread_id, assistant_id="slow", transport=transport) as thread:
        await thread.run.start(input=work("a", "b", "c"))
        first = await thread.output
    history = await client.threads.get_history(thread_id, limit=20)
    (point,) = [state for state in history if state["values"].get("done") == ["a"]]
    checkpoint_id = point["checkpoint"]["checkpoint_id"]
    async with client.threads.stream(thread_id, assistant_id="slow", transport=transport) as thread:
        await thread.run.start(config={"configurable": {"checkpoint_id": checkpoint_id}})
        events = await follow(thread)
        second = (await client.threads.get_state(thread_id))["values"]
    assert lines(events)[-1] == "lifecycle completed"
    assert [one for one in lines(events) if one.startswith("updates")] == ["updates step"] * 2
    assert second["done"] == first["done"] == ["a", "b", "c"]
    kept, replaced = ids_and_texts(first["messages"]), ids_and_texts(second["messages"])
    assert kept[:1] == replaced[:1] and {i for i, _ in kept[1:]}.isdisjoint(i for i, _ in replaced)
    longer = await client.threads.get_history(thread_id, limit=40)
    assert [state["checkpoint"] for state in longer[-len(history) :]] == [
        state["checkpoint"] for state in history
    ]
    assert longer[0]["values"]["done"] == ["a", "b", "c"]


@bounded
async def test_fork_with_another_state(client: Any, transport: Any) -> None:
    """An earlier checkpoint is changed, and the run goes on from the change."""
    thread_id = str(uuid4())
    async with client.threads.stream(thread_id, assistant_id="slow", transport=transport) as thread:
        await thread.run.start(input=work("a", "b", "c"))
        await thread.output
    history = await client.threads.get_history(thread_id, limit=20)
    (point,) = [state for state in history if state["values"].get("done") == ["a"]]
    changed = await client.threads.update_state(
        thread_id, {"todo": ["x"]}, checkpoint=point["checkpoint"], as_node="step"
    )
    where = {"checkpoint_id": changed["checkpoint"]["checkpoint_id"]}
    async with client.threads.stream(thread_id, assistant_id="slow", transport=transport) as thread:
        await thread.run.start(config={"configurable": where})
        await follow(thread)
        values = (await client.threads.get_state(thread_id))["values"]
    assert values["done"] == ["a", "x"]


@bounded
async def test_turns_in_several_sessions(client: Any, transport: Any) -> None:
    """Each session's iterators begin and end with its own run, and the numbers go on from run to run."""
    thread_id, seqs = str(uuid4()), []
    for turn, todo in enumerate("abc", 1):
        async with client.threads.stream(thread_id, assistant_id="slow", transport=transport) as thread:
            await thread.run.start(input={"todo": [todo], "pause_s": 0.001})
            events = await follow(thread)
            output = await thread.output
        seqs += [event["seq"] for event in events]
        assert lines(events).count("lifecycle running") == 1
        assert output["done"] == list("abc"[:turn])
    assert seqs == list(range(1, len(seqs) + 1))


@bounded
async def test_the_graph_of_the_assistant(client: Any, transport: Any) -> None:
    """A stream's own agent module draws it; a graph that is not there is refused."""
    async with client.threads.stream(assistant_id="asks", transport=transport) as thread:
        tree = await thread.agent.get_tree()
    assert {node["id"] for node in tree["nodes"]} == {"__start__", "colour", "size", "confirm", "__end__"}
    async with client.threads.stream(assistant_id="nobody", transport=transport) as thread:
        with pytest.raises(RuntimeError, match="nobody"):
            await thread.run.start(input=ASK)
