"""Workers: execution, failure, cancel, and takeover, with real queues and graphs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import anyio
import pytest
from langchain_core.messages import AIMessage
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import interrupt

from runtime.brief import write_brief
from runtime.context import Context
from runtime.errors import ModelTimeout
from runtime.log import configure
from runtime.queue import RunQueue
from runtime.run_record import RunRequest
from runtime.run_request import RunParams
from runtime.scripted import Line, ScriptedModel
from runtime.validation import parse_object
from tests.place import ANA, Place, open_place

pytestmark = pytest.mark.anyio

MODEL = ScriptedModel(scripts={"say": lambda scene: Line("one two three four five six seven eight nine ten")})


class Log:
    """What the nodes did, across workers of this process."""

    calls: list[str] = []  # noqa: RUF012  (emptied by the fixture)
    hold: anyio.Event


async def say(state: MessagesState) -> dict[str, Any]:
    Log.calls.append("say")
    get_stream_writer()({"name": "hint", "text": "listen"})
    return {"messages": [await MODEL.ainvoke([write_brief("say", "Say it.")])]}


async def misbehave(state: MessagesState) -> dict[str, Any]:
    """Does what the message says."""
    text = state["messages"][-2].text
    Log.calls.append("misbehave")
    if text == "ask":
        return {"messages": [AIMessage(f"you said {interrupt({'question': 'sure?'})}")]}
    if text == "sleep":
        await asyncio.sleep(60)
    if text == "loop":
        return {"messages": [AIMessage("again")]}
    if text == "fault":
        raise ModelTimeout("the endpoint was silent", limit_s=5)
    if text == "bug":
        raise ZeroDivisionError("secret text of the conversation")
    if text == "hold":
        await Log.hold.wait()
    return {}


def build() -> StateGraph[Any, Any, Any, Any]:
    graph = StateGraph(MessagesState, context_schema=Context)
    graph.add_node("say", say)
    graph.add_node("misbehave", misbehave)
    graph.add_edge(START, "say")
    graph.add_edge("say", "misbehave")
    graph.add_conditional_edges(
        "misbehave", lambda s: "misbehave" if s["messages"][0].text == "loop" else END, ["misbehave", END]
    )
    return graph


@pytest.fixture
async def place(redis_url: str) -> AsyncIterator[Place]:
    Log.calls, Log.hold = [], anyio.Event()
    async with open_place(redis_url, build) as place:
        yield place


async def test_a_run_streams_and_ends(place: Place) -> None:
    """Tokens, hint, values and one terminal event; the state afterwards says the same."""
    async with place.worker(), place.socket("t") as socket:
        run_id = await place.start("t")
        await socket.until("completed")
    assert socket.lifecycle() == ["running", "completed"]
    assert socket.text() == "one two three four five six seven eight nine ten"
    assert {"name": "hint", "text": "listen"} in socket.data("custom")
    assert [f["seq"] for f in socket.frames] == list(range(1, len(socket.frames) + 1))
    state = await place.graphs["g"].aget_state({"configurable": {"thread_id": "acme/t"}})
    assert state.values["messages"][-1].text == socket.text()
    assert socket.data("values")[-1]["messages"][-1]["id"] == state.values["messages"][-1].id
    assert state.metadata and state.metadata["run_id"] == run_id


async def test_every_checkpoint_comes_before_the_values_it_stands_for(place: Place) -> None:
    """A client that branches must know which checkpoint it sees."""
    async with place.worker(), place.socket("t") as socket:
        await place.start("t")
        await socket.until("completed")
    order = [f["method"] for f in socket.frames if f["method"] in ("checkpoints", "values")]
    steps = [c["step"] for c in socket.data("checkpoints")]
    assert steps == sorted(steps)
    assert "values" in order
    assert all(before == "checkpoints" for before, what in pairwise(order) if what == "values")


async def test_a_question_is_asked_answered_and_answered_only_once(place: Place) -> None:
    """The answer resumes the run's graph; the same answer again is refused."""
    from runtime.errors import NoSuchInterrupt

    async with place.worker(), place.socket("t") as socket:
        await place.start("t", "ask")
        await socket.until("interrupted")
        (asked,) = socket.data("input.requested")
        assert asked["payload"] == asked["value"] == {"question": "sure?"}
        answer = {"interrupt_id": asked["interrupt_id"], "response": "yes"}
        await place.commands.respond(ANA, "t", answer)
        await socket.until("completed")
        with pytest.raises(NoSuchInterrupt):
            await place.commands.respond(ANA, "t", answer)
    assert socket.data("values")[-1]["messages"][-1]["content"] == "you said yes"
    assert Log.calls == ["say", "misbehave", "misbehave"]


async def test_a_foreseen_failure_tells_its_code(place: Place) -> None:
    """The client gets code and message; the thread takes the next message."""
    async with place.worker(), place.socket("t") as socket:
        run_id = await place.start("t", "fault")
        await socket.until("failed")
        failed = socket.data("lifecycle")[-1]
        assert (failed["code"], failed["error"]) == ("model_timeout", "the endpoint was silent")
        assert failed["correlation_id"] == run_id
        assert (await place.threads.get(ANA, "t")).status == "error"
        await place.start("t", "go on")
        await socket.until("completed")


async def test_an_unforeseen_failure_tells_only_the_run(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """An exception's text may hold the conversation: neither the client nor the log gets it."""
    configure("info", to_terminal=False)
    async with place.worker(), place.socket("t") as socket:
        run_id = await place.start("t", "bug")
        await socket.until("failed")
    failed = socket.data("lifecycle")[-1]
    assert (failed["code"], failed["correlation_id"]) == ("internal", run_id)
    assert "secret" not in str(socket.frames)
    logged = capsys.readouterr().err
    assert "ZeroDivisionError" in logged and "test_worker.py" in logged
    assert "secret" not in logged


async def test_a_graph_without_end_is_stopped(place: Place) -> None:
    """Every loop has a bound."""
    async with place.worker(), place.socket("t") as socket:
        await place.start("t", "loop")
        await socket.until("failed")
    assert socket.data("lifecycle")[-1]["code"] == "recursion_limit"


async def test_a_run_that_takes_too_long_is_stopped(place: Place) -> None:
    """The limit is named."""
    async with place.worker(run_timeout_s=0.3), place.socket("t") as socket:
        run_id = await place.start("t", "sleep")
        await socket.until("failed")
    assert socket.data("lifecycle")[-1]["code"] == "run_timeout"
    assert (await place.runs.find("acme/t", run_id)).status == "timeout"


async def test_cancel_stops_the_work_before_it_says_so(place: Place) -> None:
    """The thread is free, what was said stays in the log, and the next message is answered."""
    async with place.worker(), place.socket("t") as socket:
        run_id = await place.start("t", "sleep")
        while "misbehave" not in Log.calls:
            await anyio.sleep(0.01)
        await place.commands.cancel(ANA, "t", run_id)
        await socket.until("failed")
        assert socket.data("lifecycle")[-1]["error"] == "Run cancelled"
        row = await place.threads.get(ANA, "t")
        assert (row.status, row.active) == ("idle", "")
        assert (await place.runs.find("acme/t", run_id)).status == "interrupted"
        await place.start("t", "go on")
        await socket.until("completed")


async def test_a_missed_cancel_signal_is_found_by_the_heartbeat(place: Place) -> None:
    """Pub/sub may lose a message; the mark in the record does not get lost."""
    async with place.worker(), place.socket("t") as socket:
        run_id = await place.start("t", "sleep")
        while "misbehave" not in Log.calls:
            await anyio.sleep(0.01)
        await place.client.hset(f"{{acme/t}}:run:{run_id}", "cancel", "interrupt")
        await socket.until("failed")


async def test_a_stale_worker_is_refused_and_its_run_finished_by_another(place: Place) -> None:
    """The first worker hangs, is taken for lost, then wakes up: nothing of it reaches log or state."""
    async with place.worker("w:1"), place.socket("t") as socket:
        run_id = await place.start("t", "hold")
        while "misbehave" not in Log.calls:
            await anyio.sleep(0.01)
        claim = await place.runs.claim("acme/t", run_id, "w:2")
        assert claim
        Log.hold.set()
        await anyio.sleep(0.3)
        assert socket.lifecycle() == ["running"]
        assert (await place.runs.find("acme/t", run_id)).status == "running"


async def test_a_lost_workers_run_is_finished_by_another(place: Place) -> None:
    """From its last checkpoint: the node that was done is not run again, and seqs go on without a gap."""
    async with place.socket("t") as socket:
        run_id = await place.start("t", "hold")
        async with anyio.create_task_group() as tasks:

            async def doomed() -> None:
                async with place.worker("w:1"):
                    await anyio.sleep_forever()

            tasks.start_soon(doomed)
            while "misbehave" not in Log.calls:
                await anyio.sleep(0.01)
            tasks.cancel_scope.cancel()
        Log.hold.set()
        async with place.worker("w:2"):
            await socket.until("completed")
    run = await place.runs.find("acme/t", run_id)
    assert (run.status, run.worker) == ("success", "w:2")
    assert Log.calls.count("say") == 1
    assert [f["seq"] for f in socket.frames] == list(range(1, len(socket.frames) + 1))


async def test_a_run_that_keeps_losing_workers_is_given_up(place: Place) -> None:
    """A poisonous run does not go round for ever."""
    run_id = await place.start("t")
    for attempt in range(3):
        await place.runs.claim("acme/t", run_id, f"w:{attempt}")
    async with place.socket("t") as socket, place.worker("w:9"):
        await socket.until("failed")
    assert socket.data("lifecycle")[-1]["code"] == "attempts_exhausted"


async def test_a_message_left_open_by_a_lost_worker_is_closed(place: Place) -> None:
    """The client learns that the half answer will be said again."""
    from runtime.events import encode_event

    run_id = await place.start("t")
    claim = await place.runs.claim("acme/t", run_id, "w:1")
    assert claim
    half = encode_event("messages", {"event": "message-start", "id": "m"}, event_id=f"{run_id}.1.1")
    await place.events.append("acme/t", claim.fence, 1, [half])
    async with place.socket("t") as socket, place.worker("w:2"):
        await socket.until("completed")
    kinds = [d["event"] for d in socket.data("messages")]
    assert kinds[:3] == ["message-start", "error", "message-start"]
    assert kinds[-1] == "message-finish"


async def test_messages_to_a_busy_thread_are_answered_in_turn(place: Place) -> None:
    """Two quick messages: two runs, one after the other."""
    async with place.worker(), place.socket("t") as socket:
        first, second = await place.start("t"), await place.start("t")
        await socket.until("completed", count=2)
    assert socket.lifecycle() == ["running", "completed"] * 2
    runs = await place.runs.newest("acme/t", 5)
    assert [r.run_id for r in runs] == [second, first]


async def test_a_worker_goes_on_after_redis_was_away(place: Place) -> None:
    """Cut connections end neither the cancel signal nor the work."""
    async with place.worker(), place.socket("t") as socket:
        await place.client.client_kill_filter(_type="pubsub")
        await place.client.client_kill_filter(_type="normal", skipme=True)
        await anyio.sleep(1.2)
        run_id = await place.start("t", "sleep")
        while "misbehave" not in Log.calls:
            await anyio.sleep(0.01)
        await place.commands.cancel(ANA, "t", run_id)
        await socket.until("failed")


async def test_a_lost_fork_is_taken_up_where_it_branched(place: Place) -> None:
    """The second attempt starts from the checkpoint that was asked for, not from the end of the thread."""
    async with place.worker(), place.socket("t") as socket:
        await place.start("t", "one")
        await socket.until("completed")
        fork = socket.data("checkpoints")[-1]["id"]
        await place.start("t", "two")
        await socket.until("completed", count=2)
    payload = {"messages": [{"role": "user", "content": "three"}]}
    started = await place.runs.start("acme/t", ANA, RunRequest(payload, "g", checkpoint_id=fork))
    assert await place.runs.claim("acme/t", started.run_id, "w:lost")
    async with place.worker("w:2"), place.socket("t") as socket:
        await socket.until("completed")
    state = await place.graphs["g"].aget_state({"configurable": {"thread_id": "acme/t"}})
    asked = [m.text for m in state.values["messages"] if m.type == "human"]
    assert asked == ["one", "three"]


async def test_restarts_in_order_use_up_no_attempt(place: Place) -> None:
    """A run that meets five deployments is finished by the sixth worker."""
    async with place.socket("t") as socket:
        run_id = await place.start("t", "hold")
        for number in range(5):
            async with place.worker(f"w:{number}"):
                while Log.calls.count("misbehave") <= number:
                    await anyio.sleep(0.01)
        Log.hold.set()
        async with place.worker("w:last"):
            await socket.until("completed")
    run = await place.runs.find("acme/t", run_id)
    assert (run.status, run.attempts, run.worker) == ("success", 1, "w:last")


async def test_a_stateless_runs_thread_goes_by_itself(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in no list, can be read for a while, and leaves nothing: nobody else would delete it."""
    monkeypatch.setattr("runtime.worker.FORGET_AFTER_S", 1)
    params = parse_object(RunParams, {"assistant_id": "g", "input": {"messages": [("user", "go")]}})
    async with place.worker():
        thread_id, started = await place.commands.start_stateless(ANA, params)
        assert [row async for row in place.threads.all(ANA)] == []
        while (await place.runs.find(f"acme/{thread_id}", started.run_id)).status != "success":
            await anyio.sleep(0.01)
        with anyio.fail_after(10):
            while await place.client.exists(f"{{acme/{thread_id}}}:thread"):
                await anyio.sleep(0.05)
    left = [key async for key in place.client.scan_iter(f"*{thread_id}*")]
    assert set(left) <= {f"{{acme/{thread_id}}}:fence".encode()}


async def test_a_forgotten_thread_that_is_in_use_again(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It goes when that use is over for a while, and nobody is shown a traceback of its being busy."""
    for module in ("worker", "forgetting"):
        monkeypatch.setattr(f"runtime.{module}.FORGET_AFTER_S", 1)

    async def start(text: str) -> str:
        params = parse_object(RunParams, {"assistant_id": "g", "input": {"messages": [("user", text)]}})
        return (await place.commands.start(ANA, "t", params, forget=True)).run_id

    async with place.worker():
        first = await start("go")
        while (await place.runs.find("acme/t", first)).status != "success":
            await anyio.sleep(0.01)
        await start("hold")
        with anyio.fail_after(20):
            while (job := await RunQueue(place.client, 1).job("forget:acme/t")) is None or not job.attempts:
                await anyio.sleep(0.02)
            assert await place.client.exists("{acme/t}:thread")
            Log.hold.set()
            while await place.client.exists("{acme/t}:thread"):
                await anyio.sleep(0.05)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
