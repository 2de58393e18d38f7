"""The protocol's commands beyond starting a run: answers, injected messages, state, forks, trees."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import interrupt

from runtime.errors import (
    InvalidInput,
    NoSuchCheckpoint,
    NoSuchInterrupt,
    NoSuchNamespace,
    NoSuchRun,
    NotFound,
    PermissionDenied,
    ThreadBusy,
    UnknownCommand,
)
from runtime.thread_state import ThreadState
from tests.place import ANA, BO, Place, Received, open_place

pytestmark = pytest.mark.anyio


class State(MessagesState):
    note: str


async def child(state: State) -> dict[str, Any]:
    if state["messages"][-1].text == "ask":
        answer = interrupt("Are you sure?")
        return {"messages": [("ai", f"said {answer}")]}
    return {"messages": [("ai", f"heard {state['messages'][-1].text}")]}


def route(state: State) -> str:
    return "tail" if state.get("note") != "skip" else END


def build() -> StateGraph[Any, Any, Any, Any]:
    inner = StateGraph(State)
    inner.add_node("child", child)
    inner.add_edge(START, "child")
    graph = StateGraph(State)
    graph.add_node("inner", inner.compile())
    graph.add_node("tail", lambda state: {"note": state.get("note", "") + "."})
    graph.add_edge(START, "inner")
    graph.add_conditional_edges("inner", route, ["tail", END])
    return graph


@pytest.fixture
async def place(redis_url: str) -> AsyncIterator[Place]:
    async with open_place(redis_url, build) as place, place.worker():
        yield place


async def run(place: Place, method: str, **params: Any) -> dict[str, Any]:
    result, _ = await place.commands.run(ANA, "t", method, params)
    return result


async def asked(place: Place, socket: Received) -> dict[str, Any]:
    """The frame of the question that a run has ended with."""
    await place.start("t", "ask")
    await socket.until("interrupted")
    (question,) = [f for f in socket.frames if f["method"] == "input.requested"]
    params: dict[str, Any] = question["params"]
    return params


async def said(place: Place) -> list[str]:
    row = await place.threads.get(ANA, "t")
    state = await place.engine.state.get(ANA, row)
    return [m.text for m in state.values["messages"]] if state else []


async def test_a_message_is_not_taken_for_the_answer(place: Place) -> None:
    """What the rep says next must not approve what the graph has asked."""
    async with place.socket("t") as socket:
        await asked(place, socket)
        await place.start("t", "something else")
        await socket.until("completed")
    assert (await said(place))[-2:] == ["something else", "heard something else"]


async def test_input_that_can_be_no_input_is_the_answer(place: Place) -> None:
    """RemoteGraph sends the value of `Command(resume=…)` so; without a question it is refused."""
    with pytest.raises(InvalidInput, match="keys of the graph's state"):
        await run(place, "run.start", assistant_id="g", input="yes")
    async with place.socket("t") as socket:
        await asked(place, socket)
        await run(place, "run.start", assistant_id="g", input="yes")
        await socket.until("completed")
    assert (await said(place))[-1] == "said yes"


async def test_an_answer_names_its_question(place: Place) -> None:
    """By id and namespace, once; with an update and a jump beside it where they are given."""
    async with place.socket("t") as socket:
        question = await asked(place, socket)
        interrupt_id, namespace = question["data"]["interrupt_id"], question["namespace"]
        assert namespace[0].startswith("inner:")
        for wrong in ({"interrupt_id": "x"}, {"interrupt_id": interrupt_id, "namespace": ["elsewhere"]}):
            with pytest.raises(NoSuchInterrupt):
                await run(place, "input.respond", response="yes", **wrong)
        given = {"interrupt_id": interrupt_id, "namespace": namespace, "response": "yes"}
        await run(place, "input.respond", **given, update={"note": "skip"})
        await socket.until("completed")
        assert (await said(place))[-1] == "said yes"
        assert socket.data("values")[-1]["note"] == "skip"
        with pytest.raises(NoSuchInterrupt):
            await run(place, "input.respond", **given)


async def test_several_answers_at_once_are_checked_one_by_one(place: Place) -> None:
    """One that is unknown starts nothing."""
    async with place.socket("t") as socket:
        question = await asked(place, socket)
        known = {"interrupt_id": question["data"]["interrupt_id"], "response": 1}
        with pytest.raises(NoSuchInterrupt, match="nonsense"):
            await run(place, "input.respond", responses=[known, {"interrupt_id": "nonsense", "response": 2}])
        with pytest.raises(InvalidInput):
            await run(place, "input.respond", responses=[{"response": 2}])
        await run(place, "input.respond", responses=[known])
        await socket.until("completed")
    assert (await said(place))[-1] == "said 1"


async def test_a_changed_state_drops_the_question(place: Place) -> None:
    """As LangGraph does; and a thread that works refuses to be changed."""
    state: ThreadState = place.engine.state
    async with place.socket("t") as socket:
        question = await asked(place, socket)
        row = await place.threads.get(ANA, "t")
        await state.update(ANA, row, {"note": "by hand"}, as_node="inner")
        assert (await place.threads.get(ANA, "t")).status == "idle"
        with pytest.raises(NoSuchInterrupt):
            await run(place, "input.respond", interrupt_id=question["data"]["interrupt_id"], response=1)
    with pytest.raises(InvalidInput):
        await state.update(ANA, row, {"note": "x"}, as_node="nobody")
    await place.client.hset("{acme/t}:thread", "active", "some-run")
    with pytest.raises(ThreadBusy):
        await state.update(ANA, await place.threads.get(ANA, "t"), {"note": "x"})


async def test_an_injected_message_reaches_the_conversation(place: Place) -> None:
    """At rest it is in the state, for the next run; a fault in it has its error."""
    with pytest.raises(NotFound):
        await run(place, "input.inject", namespace=[], message={"role": "user", "content": "x"})
    async with place.socket("t") as socket:
        await place.start("t", "hello")
        await socket.until("completed")
    await run(place, "input.inject", namespace=[], message={"role": "system", "content": "be brief"})
    assert (await said(place))[-1] == "be brief"
    for wrong in ({}, {"message": {"role": "ai", "content": "x"}}, {"message": {"role": "user"}}):
        with pytest.raises(InvalidInput):
            await run(place, "input.inject", **wrong)


async def test_state_is_read_by_namespace_and_key(place: Place) -> None:
    """And says at which checkpoint it stands."""
    with pytest.raises(NoSuchRun):
        await run(place, "state.get", namespace=[])
    async with place.socket("t") as socket:
        question = await asked(place, socket)
    whole = await run(place, "state.get", namespace=[])
    assert [m.text for m in whole["values"]["messages"]] == ["ask"] and whole["checkpoint"]["id"]
    assert (await run(place, "state.get", namespace=[], keys=["note"]))["values"].keys() <= {"note"}
    below = await run(place, "state.get", namespace=question["namespace"])
    assert [m.text for m in below["values"]["messages"]] == ["ask"]
    with pytest.raises(NoSuchNamespace):
        await run(place, "state.get", namespace=["nobody:1"])
    with pytest.raises(InvalidInput):
        await run(place, "state.get", namespace="inner")


async def test_a_thread_is_forked_at_a_listed_checkpoint(place: Place) -> None:
    """The newest first, page by page; the fork leaves what came after aside."""
    async with place.socket("t") as socket:
        await place.start("t", "one")
        await socket.until("completed")
        at = (await run(place, "state.listCheckpoints", limit=1))["checkpoints"][0]
        await place.start("t", "two")
        await socket.until("completed", count=2)
        listed = (await run(place, "state.listCheckpoints", limit=100))["checkpoints"]
        ids = [c["id"] for c in listed]
        assert at["id"] in ids and ids == sorted(ids, reverse=True)
        older = (await run(place, "state.listCheckpoints", limit=100, before=ids[1]))["checkpoints"]
        assert [c["id"] for c in older] == ids[2:]
        payload = {"messages": [{"role": "user", "content": "three"}]}
        forked = await run(place, "state.fork", checkpoint_id=at["id"], input=payload)
        assert forked["thread_id"] == "t"
        await socket.until("completed", count=3)
    assert await said(place) == ["one", "heard one", "three", "heard three"]
    with pytest.raises(NoSuchCheckpoint):
        await run(place, "state.fork", checkpoint_id="nonsense")
    with pytest.raises(InvalidInput):
        await run(place, "state.fork")
    with pytest.raises(InvalidInput):
        await run(place, "state.listCheckpoints", limit=0)


async def test_the_tree_names_the_graphs_of_a_run(place: Place) -> None:
    """With the status that each has reached."""
    async with place.socket("t") as socket:
        first = await place.start("t", "hello")
        await socket.until("completed")
        await asked(place, socket)
    tree = (await run(place, "agent.getTree"))["tree"]
    assert (tree["namespace"], tree["status"], tree["graph_name"]) == ([], "interrupted", "g")
    assert [c["namespace"][0].partition(":")[0] for c in tree["children"]] == ["inner"]
    earlier = (await run(place, "agent.getTree", run_id=first))["tree"]
    assert earlier["status"] == "completed" and earlier["children"][0]["status"] == "completed"
    with pytest.raises(NoSuchRun):
        await run(place, "agent.getTree", run_id="nonsense")


async def test_unknown_commands_and_other_peoples_threads(place: Place) -> None:
    """Each has its error."""
    with pytest.raises(UnknownCommand, match=r"state\.get"):
        await run(place, "state.burn")
    async with place.socket("t") as socket:
        await place.start("t", "hello")
        await socket.until("completed")
    for method in ("state.get", "state.fork", "input.inject", "input.respond", "run.cancel"):
        params = {
            "checkpoint_id": "c",
            "message": {"role": "user", "content": "x"},
            "interrupt_id": "i",
            "response": 1,
        }
        with pytest.raises(PermissionDenied):
            await place.commands.run(BO, "t", method, params)
    with pytest.raises(NotFound):
        await run(place, "run.cancel")
    with pytest.raises(InvalidInput, match="rollback"):
        await run(place, "run.cancel", action="nonsense")


async def test_a_question_can_be_answered_again_after_a_cancel(place: Place) -> None:
    """The run that was given the answer did not finish: the state still asks."""
    async with place.socket("t") as socket:
        question = await asked(place, socket)
        given = {"interrupt_id": question["data"]["interrupt_id"], "namespace": question["namespace"]}
        claimless = await place.commands.respond(ANA, "t", {**given, "response": "first"})
        await place.client.hset("{acme/t}:run:" + claimless.run_id, "cancel", "interrupt")
        with anyio.fail_after(10):
            while (await place.threads.get(ANA, "t")).active:
                await anyio.sleep(0.01)
        row = await place.threads.get(ANA, "t")
        state = await place.engine.state.get(ANA, row)
        if state and state.next:  # Else it was quicker than its cancel.
            await run(place, "input.respond", **given, response="again")
            await socket.until("completed")
            assert (await said(place))[-1] == "said again"


async def test_an_injected_message_has_the_limit_of_others(place: Place) -> None:
    """No way in is wider than the front door."""
    async with place.socket("t") as socket:
        await place.start("t", "hello")
        await socket.until("completed")
    with pytest.raises(InvalidInput, match="at most 500"):
        await run(place, "input.inject", message={"role": "user", "content": "x" * 501})


@pytest.mark.parametrize("keep", [True, False])
async def test_a_scheduled_runs_thread_stays_where_that_is_asked(place: Place, keep: bool) -> None:
    """A cron without a thread says what becomes of the one that its run is given."""
    payload = {"assistant_id": "g", "input": {"messages": "go"}, "idempotency_key": "cron:1"}
    payload |= {"on_completion": "keep"} if keep else {}
    run_id = await place.commands.start_scheduled(ANA, None, payload)
    assert await place.commands.start_scheduled(ANA, None, payload) == run_id
    assert [row.graph async for row in place.threads.all(ANA)] == (["g"] if keep else [])
    on_thread = {**payload, "idempotency_key": "cron:2"}
    started = await place.commands.start_scheduled(ANA, "t", on_thread)
    assert (await place.runs.find("acme/t", started)).request.payload == {"messages": "go"}
