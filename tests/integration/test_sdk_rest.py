"""The stock Python SDK's other calls: threads, runs, stateless runs, assistants and the store, by REST."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import anyio
import pytest
from langgraph_sdk.errors import ConflictError, NotFoundError

from tests.bounded import bounded
from tests.protocol_lines import ASK, QUESTION, ids_and_texts, text_of, work

pytestmark = pytest.mark.anyio

GRAPHS = ["agent", "asks", "fails", "slow", "team"]


@pytest.fixture
def client(project_client: Any) -> Any:
    """Short, since every test here speaks by it."""
    return project_client


async def new_thread(client: Any, **options: Any) -> str:
    """Its id."""
    thread_id: str = (await client.threads.create(**options))["thread_id"]
    return thread_id


async def begun(client: Any, thread_id: str, done: int = 1) -> None:
    """Waits until a run of `slow` has done so many steps."""
    while len(((await client.threads.get_state(thread_id))["values"] or {}).get("done", ())) < done:
        await anyio.sleep(0.01)


@bounded
async def test_a_threads_life(client: Any) -> None:
    """Made, found, changed, deleted; a second one of the same id is a conflict unless that is allowed."""
    wanted = str(uuid4())
    made = await client.threads.create(thread_id=wanted, metadata={"team": "north"})
    assert (made["thread_id"], made["status"]) == (wanted, "idle")
    assert made["metadata"]["team"] == "north"
    with pytest.raises(ConflictError):
        await client.threads.create(thread_id=wanted)
    again = await client.threads.create(thread_id=wanted, if_exists="do_nothing")
    assert (again["thread_id"], again["metadata"]) == (wanted, made["metadata"])
    changed = await client.threads.update(wanted, metadata={"size": 3})
    assert changed["metadata"] == {**made["metadata"], "size": 3}
    assert (await client.threads.get(wanted))["metadata"] == changed["metadata"]
    await client.threads.delete(wanted)
    with pytest.raises(NotFoundError):
        await client.threads.get(wanted)


@bounded
async def test_search_and_count(client: Any) -> None:
    """By metadata, by status and by values, in pages."""
    mark = uuid4().hex
    for number in range(5):
        await client.threads.create(metadata={"mark": mark, "odd": bool(number % 2)})
    waiting = await new_thread(client, metadata={"mark": mark, "odd": False})
    await client.runs.wait(waiting, "agent", input=ASK)
    assert await client.threads.count(metadata={"mark": mark}) == 6
    assert len(await client.threads.search(metadata={"mark": mark, "odd": True})) == 2
    pages = [await client.threads.search(metadata={"mark": mark}, limit=4, offset=at) for at in (0, 4)]
    assert [len(page) for page in pages] == [4, 2]
    assert len({thread["thread_id"] for page in pages for thread in page}) == 6
    (found,) = await client.threads.search(metadata={"mark": mark}, status="interrupted")
    assert found["thread_id"] == waiting


@bounded
async def test_copy(client: Any) -> None:
    """A copy has the state and the history, and a life of its own."""
    thread_id = await new_thread(client)
    first = await client.runs.wait(thread_id, "slow", input=work("a", "b"))
    copy = (await client.threads.copy(thread_id))["thread_id"]
    assert copy != thread_id
    assert (await client.threads.get_state(copy))["values"] == first
    lengths = [len(await client.threads.get_history(thread, limit=50)) for thread in (thread_id, copy)]
    assert lengths == [4, 4]
    await client.runs.wait(copy, "slow", input={"todo": ["c"]})
    assert (await client.threads.get_state(copy))["values"]["done"] == ["a", "b", "c"]
    assert (await client.threads.get_state(thread_id))["values"] == first


@bounded
async def test_history(client: Any) -> None:
    """Newest first, each linked to its parent, in pages; each state can be read by itself."""
    thread_id = await new_thread(client)
    await client.runs.wait(thread_id, "slow", input=work("a", "b"))
    history = await client.threads.get_history(thread_id, limit=20)
    assert [state["metadata"]["step"] for state in history] == [2, 1, 0, -1]
    assert [state["metadata"]["source"] for state in history] == ["loop", "loop", "loop", "input"]
    assert [state["next"] for state in history] == [[], ["step"], ["step"], ["__start__"]]
    ids = [state["checkpoint"]["checkpoint_id"] for state in history]
    parents = [(state["parent_checkpoint"] or {}).get("checkpoint_id") for state in history]
    assert parents == [*ids[1:], None]
    newest = await client.threads.get_history(thread_id, limit=2)
    older = await client.threads.get_history(thread_id, limit=5, before=newest[-1]["checkpoint"])
    assert [state["checkpoint"]["checkpoint_id"] for state in (*newest, *older)] == ids
    one = await client.threads.get_state(thread_id, checkpoint_id=ids[1])
    same = await client.threads.get_state(thread_id, checkpoint=history[1]["checkpoint"])
    assert one["values"] == same["values"] == history[1]["values"]
    assert one["values"]["done"] == ["a"]


@bounded
async def test_the_state_of_a_new_thread(client: Any) -> None:
    """Empty, not missing; that of an unknown thread is missing."""
    state = await client.threads.get_state(await new_thread(client))
    assert (state["values"] or {}, state["next"], state["tasks"]) == ({}, [], [])
    with pytest.raises(NotFoundError):
        await client.runs.list(str(uuid4()))


@bounded
async def test_update_state(client: Any) -> None:
    """A thread that has not run yet may be given a state, as the node that would have made it."""
    thread_id = await new_thread(client, graph_id="slow")
    await client.threads.update_state(thread_id, {"done": ["given"], "todo": ["a"]}, as_node="step")
    state = await client.threads.get_state(thread_id)
    assert (state["values"]["done"], state["next"]) == (["given"], ["step"])
    values = await client.runs.wait(thread_id, "slow")
    assert values["done"] == ["given", "a"]


@bounded
async def test_a_runs_record(client: Any) -> None:
    """Created, found in the list, joined, deleted; its metadata stay with it."""
    thread_id = await new_thread(client)
    run = await client.runs.create(thread_id, "slow", input=work("a", "b"), metadata={"why": "test"})
    assert (run["thread_id"], run["status"], run["metadata"]["why"]) == (thread_id, "pending", "test")
    values = await client.runs.join(thread_id, run["run_id"])
    assert values["done"] == ["a", "b"]
    found = await client.runs.get(thread_id, run["run_id"])
    assert (found["status"], found["assistant_id"]) == ("success", run["assistant_id"])
    second = await client.runs.create(thread_id, "slow", input={"todo": ["c"]})
    await client.runs.join(thread_id, second["run_id"])
    assert [one["run_id"] for one in await client.runs.list(thread_id)] == [second["run_id"], run["run_id"]]
    assert len(await client.runs.list(thread_id, limit=1)) == 1
    await client.runs.delete(thread_id, run["run_id"])
    assert [one["run_id"] for one in await client.runs.list(thread_id)] == [second["run_id"]]
    with pytest.raises(NotFoundError):
        await client.runs.get(thread_id, run["run_id"])


@bounded
async def test_wait(client: Any) -> None:
    """The last values; an interrupt among them, and the answer to it; a failure as an error."""
    thread_id = await new_thread(client)
    paused = await client.runs.wait(thread_id, "agent", input=ASK)
    assert [interrupt["value"] for interrupt in paused["__interrupt__"]] == [QUESTION]
    assert (await client.threads.get(thread_id))["status"] == "interrupted"
    values = await client.runs.wait(thread_id, "agent", command={"resume": "yes"})
    assert values["steps"] == ["greet", "asked:yes", "close"] and "__interrupt__" not in values
    assert (await client.threads.get(thread_id))["status"] == "idle"
    with pytest.raises(Exception, match="ledger"):  # The SDK raises no narrower one.
        await client.runs.wait(thread_id, "fails", input=ASK)


@bounded
async def test_resume_of_several_interrupts(client: Any) -> None:
    """By id, both at once, and a command that changes the state too."""
    thread_id = await new_thread(client)
    paused = await client.runs.wait(thread_id, "asks", input={"answers": []})
    said = {"Which colour?": "red", "Which size?": "big"}
    answers = {interrupt["id"]: said[interrupt["value"]] for interrupt in paused["__interrupt__"]}
    third = await client.runs.wait(thread_id, "asks", command={"resume": answers})
    assert [i["value"] for i in third["__interrupt__"]] == [{"given": ["colour=red", "size=big"]}]
    resumed = {"resume": "yes", "update": {"answers": ["noted"]}}
    values = await client.runs.wait(thread_id, "asks", command=resumed)
    assert values["answers"] == ["colour=red", "size=big", "noted", "confirm=yes"]


@bounded
async def test_stream(client: Any) -> None:
    """Metadata first, then the parts of each mode in the order of the run; the texts are the state's."""
    thread_id = await new_thread(client)
    modes = ["values", "updates", "messages-tuple", "custom"]
    parts = [p async for p in client.runs.stream(thread_id, "agent", input=ASK, stream_mode=modes)]
    kinds = [part.event for part in parts]
    order = [kind for at, kind in enumerate(kinds) if kind != "messages" or kinds[at - 1] != "messages"]
    assert order[:7] == ["metadata", "values", "custom", "messages", "custom", "updates", "values"]
    (run,) = await client.runs.list(thread_id)
    assert parts[0].data["run_id"] == run["run_id"]
    tokens = [part.data for part in parts if part.event == "messages"]
    said = "".join(text_of(chunk) for chunk, about in tokens if about["langgraph_node"] == "greet")
    state = (await client.threads.get_state(thread_id))["values"]
    assert (tokens[0][0]["id"], said) == ids_and_texts(state["messages"])[0]
    asked = [part.data["__interrupt__"] for part in parts if "__interrupt__" in part.data]
    assert [interrupt["value"] for interrupt in asked[0]] == [QUESTION]


@bounded
async def test_stream_of_subgraphs(client: Any) -> None:
    """A child's parts carry its namespace in their event's name."""
    thread_id = await new_thread(client)
    await client.runs.wait(thread_id, "agent", input=ASK)
    resumed = client.runs.stream(
        thread_id, "agent", command={"resume": "yes"}, stream_mode="updates", stream_subgraphs=True
    )
    parts = [(part.event.split(":")[0], list(part.data)) async for part in resumed]
    updates = [("updates", ["ask"]), ("updates|nested", ["whisper"])]
    assert parts[1:] == [*updates, ("updates", ["nested"]), ("updates", ["close"])]


@bounded
async def test_stream_of_a_run_that_fails(client: Any) -> None:
    """The last part is the error, with its kind and its message."""
    parts = [part async for part in client.runs.stream(None, "fails", input=ASK, stream_mode="values")]
    assert [part.event for part in parts] == ["metadata", "values", "values", "error"]
    assert {"error", "message"} <= set(parts[-1].data)


@bounded
async def test_join_stream(client: Any) -> None:
    """Who joins a run sees it to its end, and the last values are the state."""
    thread_id = await new_thread(client)
    run = await client.runs.create(thread_id, "slow", input=work("a", "b", "c"), stream_mode=["values"])
    joined = client.runs.join_stream(thread_id, run["run_id"], stream_mode=["values"])
    values = [part.data async for part in joined if part.event == "values"]
    assert values[-1] == (await client.threads.get_state(thread_id))["values"]
    assert values[-1]["done"] == ["a", "b", "c"]


@bounded
async def test_cancel(client: Any) -> None:
    """A cancelled run has ended when `wait` says so; one that is over cannot be cancelled."""
    thread_id = await new_thread(client)
    run = await client.runs.create(thread_id, "slow", input=work(*"abcdefgh"))
    await begun(client, thread_id)
    await client.runs.cancel(thread_id, run["run_id"], wait=True)
    assert (await client.runs.get(thread_id, run["run_id"]))["status"] == "interrupted"
    assert (await client.threads.get(thread_id))["status"] == "idle"
    kept = (await client.threads.get_state(thread_id))["values"]["done"]
    assert kept == list("abcdefgh"[: len(kept)]) and 1 <= len(kept) < 8
    with pytest.raises(NotFoundError):
        await client.runs.cancel(thread_id, run["run_id"])


@bounded
async def test_cancel_with_rollback(client: Any) -> None:
    """Neither the run nor what it wrote is there afterwards."""
    thread_id = await new_thread(client)
    before = await client.runs.wait(thread_id, "slow", input=work("z"))
    run = await client.runs.create(thread_id, "slow", input={"todo": list("abcdefgh")})
    await begun(client, thread_id, done=2)
    await client.runs.cancel(thread_id, run["run_id"], wait=True, action="rollback")
    with pytest.raises(NotFoundError):
        await client.runs.get(thread_id, run["run_id"])
    assert (await client.threads.get_state(thread_id))["values"] == before


@bounded
async def test_double_texting_reject(client: Any) -> None:
    """The second run is refused, the first is not touched."""
    thread_id = await new_thread(client)
    run = await client.runs.create(thread_id, "slow", input=work(*"abcd"))
    with pytest.raises(ConflictError):
        await client.runs.create(thread_id, "slow", input={"todo": ["x"]}, multitask_strategy="reject")
    assert (await client.runs.join(thread_id, run["run_id"]))["done"] == list("abcd")
    assert len(await client.runs.list(thread_id)) == 1


@bounded
@pytest.mark.parametrize(
    ("strategy", "first", "done"),
    [("enqueue", "success", "abcdx"), ("interrupt", "interrupted", "ax"), ("rollback", None, "x")],
)
async def test_double_texting(client: Any, strategy: str, first: str | None, done: str) -> None:
    """What becomes of the first run, and what the second builds upon."""
    thread_id = await new_thread(client)
    run = await client.runs.create(thread_id, "slow", input=work(*"abcd", pause_s=0.03))
    await begun(client, thread_id)
    second = await client.runs.create(thread_id, "slow", input={"todo": ["x"]}, multitask_strategy=strategy)
    values = await client.runs.join(thread_id, second["run_id"])
    statuses = {one["run_id"]: one["status"] for one in await client.runs.list(thread_id)}
    assert statuses == {second["run_id"]: "success"} | ({run["run_id"]: first} if first else {})
    assert values["done"] == list(done)
    assert (await client.threads.get(thread_id))["status"] == "idle"


@bounded
async def test_stateless_runs(client: Any) -> None:
    """They leave nothing behind that a search would find."""
    mark = {"mark": uuid4().hex}
    values = await client.runs.wait(None, "slow", input=work("a", "b"), metadata=mark)
    assert values["done"] == ["a", "b"]
    stream = client.runs.stream(None, "slow", input=work("a"), stream_mode="updates", metadata=mark)
    assert [part.event async for part in stream] == ["metadata", "updates"]
    run = await client.runs.create(None, "slow", input=work("a"), metadata=mark)
    assert run["status"] == "pending" and run["run_id"]
    while await client.threads.search(metadata=mark):
        await anyio.sleep(0.01)


@bounded
async def test_assistants(client: Any) -> None:
    """One for each graph; by name or by id it can be read, drawn and described."""
    found = await client.assistants.search(limit=50)
    assert set(GRAPHS) <= {one["graph_id"] for one in found if one["name"] == one["graph_id"]}
    (agent,) = await client.assistants.search(graph_id="agent", limit=1)
    assert await client.assistants.get(agent["assistant_id"]) == agent
    assert await client.assistants.get("agent") == agent
    assert await client.assistants.count(graph_id="agent") == 1
    graph = await client.assistants.get_graph("agent")
    nodes = {"__start__", "greet", "tools", "ask", "nested", "close", "__end__"}
    assert {node["id"] for node in graph["nodes"]} == nodes
    inside = await client.assistants.get_graph(agent["assistant_id"], xray=True)
    assert "nested:whisper" in {node["id"] for node in inside["nodes"]}
    schemas = await client.assistants.get_schemas("asks")
    assert schemas["input_schema"]["properties"]["answers"]["type"] == "array"
    assert {"graph_id", "output_schema", "state_schema", "config_schema"} <= set(schemas)
    with pytest.raises(NotFoundError):
        await client.assistants.get(str(uuid4()))


@bounded
async def test_an_assistants_life(client: Any) -> None:
    """Made for a graph, changed in versions, run by its id, deleted."""
    made = await client.assistants.create("slow", name="Patient", metadata={"mark": uuid4().hex})
    assistant_id = made["assistant_id"]
    assert (made["graph_id"], made["name"], made["version"]) == ("slow", "Patient", 1)
    changed = await client.assistants.update(assistant_id, name="Quick")
    assert (changed["name"], changed["version"]) == ("Quick", 2)
    versions = await client.assistants.get_versions(assistant_id)
    assert [one["version"] for one in versions] == [2, 1]
    back = await client.assistants.set_latest(assistant_id, 1)
    assert (back["name"], back["version"]) == ("Patient", 1)
    (same,) = await client.assistants.search(metadata=made["metadata"])
    assert same["assistant_id"] == assistant_id
    values = await client.runs.wait(None, assistant_id, input=work("a"))
    assert values["done"] == ["a"]
    await client.assistants.delete(assistant_id)
    with pytest.raises(NotFoundError):
        await client.assistants.get(assistant_id)


@bounded
async def test_the_store(client: Any) -> None:
    """Items are put, got, searched by prefix and filter, listed by namespace, deleted."""
    top = uuid4().hex
    for number, colour in enumerate(["red", "green", "red"]):
        await client.store.put_item([top, "things"], f"k{number}", {"colour": colour, "n": number})
    await client.store.put_item([top, "others"], "k", {"colour": "red"})
    item = await client.store.get_item([top, "things"], "k1")
    assert (item["namespace"], item["key"], item["value"]) == (
        [top, "things"],
        "k1",
        {"colour": "green", "n": 1},
    )
    red = await client.store.search_items([top, "things"], filter={"colour": "red"})
    assert sorted(found["key"] for found in red["items"]) == ["k0", "k2"]
    assert len((await client.store.search_items([top], limit=3))["items"]) == 3
    listed = await client.store.list_namespaces(prefix=[top])
    assert sorted(listed["namespaces"]) == [[top, "others"], [top, "things"]]
    await client.store.delete_item([top, "things"], "k1")
    assert await client.store.get_item([top, "things"], "k1") is None
