"""A second message while the first is answered: each strategy, at every superstep of the first."""

from __future__ import annotations

import operator
from collections.abc import AsyncIterator
from typing import Annotated, Any, ClassVar

import anyio
import pytest
from langchain_core.messages import AnyMessage
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import interrupt
from typing_extensions import TypedDict

from runtime.errors import IdempotencyConflict, NotFound, ThreadBusy
from runtime.run_request import RunParams
from runtime.validation import parse_object
from tests.place import ANA, Place, Received, open_place

pytestmark = pytest.mark.anyio

STEPS = range(1, 6)
BEFORE = [f"before:{step}" for step in STEPS]
SECOND = [f"second:{step}" for step in STEPS]
SPELLINGS = ("multitask_strategy", "multitaskStrategy")


class Gate:
    """Where the message `first` is held, and that it has come there."""

    held_at: ClassVar[int]
    reached: ClassVar[anyio.Event]
    opened: ClassVar[anyio.Event]


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    done: Annotated[list[str], operator.add]


def step_of(number: int) -> Any:
    async def step(state: State) -> dict[str, Any]:
        text = state["messages"][-1].text
        said = interrupt("well?") if text == "ask" and number == 1 else text
        if said == "first" and number == Gate.held_at:
            Gate.reached.set()
            await Gate.opened.wait()
        return {"done": [f"{said}:{number}"]}

    return step


def build() -> StateGraph[Any, Any, Any, Any]:
    graph = StateGraph(State)
    graph.add_sequence([(f"step{number}", step_of(number)) for number in STEPS])
    graph.add_edge(START, "step1")
    return graph


@pytest.fixture
async def place(redis_url: str) -> AsyncIterator[Place]:
    async with open_place(redis_url, build) as place, place.worker():
        yield place


def hold(at: int) -> None:
    Gate.held_at, Gate.reached, Gate.opened = at, anyio.Event(), anyio.Event()


async def first_held(place: Place, thread: str, at: int) -> str:
    """A thread that has answered one message and is held at a superstep of the next; the latter's run."""
    hold(at)
    async with place.socket(thread) as socket:
        await place.start(thread, "before")
        await socket.until("completed")
        run_id = await place.start(thread, "first")
        with anyio.fail_after(20):
            await Gate.reached.wait()
    return run_id


async def second_message(place: Place, at: int, strategy: str) -> str:
    """Its run; the strategy is spelled as SDKs do, now one way, now the other."""
    params: dict[str, Any] = {SPELLINGS[at % 2]: strategy}
    return await place.start("t", "second", **params)


async def state_of(place: Place, thread: str) -> tuple[list[str], list[str]]:
    """The human's messages, and what was done."""
    values = (await place.graphs["g"].aget_state({"configurable": {"thread_id": f"acme/{thread}"}})).values
    return [m.text for m in values["messages"]], values["done"]


async def ended(place: Place, thread: str) -> None:
    with anyio.fail_after(20):
        while (await place.threads.get(ANA, thread)).active:
            await anyio.sleep(0.005)


async def owners_of_checkpoints(place: Place, thread: str) -> set[str]:
    states = place.graphs["g"].aget_state_history({"configurable": {"thread_id": f"acme/{thread}"}})
    return {str((state.metadata or {})["run_id"]) async for state in states}


def ends(socket: Received, run_id: str) -> list[str]:
    prefix = f"synth:{run_id}:lc||"
    names = [f["event_id"].removeprefix(prefix) for f in socket.frames if f["event_id"].startswith(prefix)]
    return [name for name in names if name != "running"]


@pytest.mark.parametrize("at", STEPS)
async def test_reject(place: Place, at: int) -> None:
    """The second is refused and the first never knows."""
    first = await first_held(place, "t", at)
    with pytest.raises(ThreadBusy):
        await second_message(place, at, "reject")
    Gate.opened.set()
    await ended(place, "t")
    assert await state_of(place, "t") == (["before", "first"], BEFORE + [f"first:{s}" for s in STEPS])
    assert (await place.runs.find("acme/t", first)).status == "success"
    assert len(await place.runs.newest("acme/t", 10)) == 2


@pytest.mark.parametrize("at", STEPS)
async def test_enqueue(place: Place, at: int) -> None:
    """The second, and a third, come after the first and after each other."""
    first = await first_held(place, "t", at)
    second = await second_message(place, at, "enqueue")
    third = await place.start("t", "third")
    assert (await place.runs.find("acme/t", second)).status == "pending"
    Gate.opened.set()
    await ended(place, "t")
    texts = ["first", "second", "third"]
    done = BEFORE + [f"{text}:{s}" for text in texts for s in STEPS]
    assert await state_of(place, "t") == (["before", *texts], done)
    records = [await place.runs.find("acme/t", run) for run in (first, second, third)]
    assert [record.status for record in records] == ["success"] * 3
    assert records[0].ended <= records[1].started <= records[1].ended <= records[2].started


@pytest.mark.parametrize("at", STEPS)
async def test_interrupt(place: Place, at: int) -> None:
    """The first stops and its progress stays; a waiting one never begins; the last goes on from there."""
    first = await first_held(place, "t", at)
    async with place.socket("t") as socket:
        waiting = await place.start("t", "waiting")
        second = await second_message(place, at, "interrupt")
        await socket.until("completed")
    assert ends(socket, first) == ends(socket, waiting) == ["interrupted"]
    progress = [f"first:{step}" for step in range(1, at)]
    assert await state_of(place, "t") == (["before", "first", "second"], BEFORE + progress + SECOND)
    records = [await place.runs.find("acme/t", run) for run in (first, waiting, second)]
    assert [record.status for record in records] == ["interrupted", "interrupted", "success"]
    assert (await place.threads.get(ANA, "t")).status == "idle"


@pytest.mark.parametrize("at", STEPS)
async def test_rollback(place: Place, at: int) -> None:
    """The first is as if it had never been, and so is a waiting one; the last goes on from before them."""
    first = await first_held(place, "t", at)
    async with place.socket("t") as socket:
        waiting = await place.start("t", "waiting")
        second = await second_message(place, at, "rollback")
        await socket.until("completed")
    assert ends(socket, first) == ends(socket, waiting) == []
    assert await state_of(place, "t") == (["before", "second"], BEFORE + SECOND)
    for gone in (first, waiting):
        with pytest.raises(NotFound):
            await place.runs.find("acme/t", gone)
    owners = await owners_of_checkpoints(place, "t")
    assert second in owners and first not in owners and len(owners) == 2


async def test_rollback_of_a_run_that_is_just_ending(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was in flight when the second message came, so it is undone, though its graph has ended."""
    settle, arrived = place.runs.settle, anyio.Event()

    async def settle_late(*args: Any, **kwargs: Any) -> None:
        if not arrived.is_set():
            arrived.set()
            await place.start("t", "second", multitask_strategy="rollback")
        await settle(*args, **kwargs)

    hold(0)
    monkeypatch.setattr(place.runs, "settle", settle_late)
    first = await place.start("t", "first")
    await arrived.wait()
    await ended(place, "t")
    assert await state_of(place, "t") == (["second"], SECOND)
    with pytest.raises(NotFound):
        await place.runs.find("acme/t", first)


async def test_rollback_stays_rollback(place: Place) -> None:
    """A third message that only interrupts does not bring back what the second has undone."""
    hold(3)
    first = await place.start("t", "first")
    with anyio.fail_after(20):
        await Gate.reached.wait()
    async with place.socket("t") as socket:
        await place.start("t", "waiting", multitask_strategy="rollback")
        await place.start("t", "second", multitask_strategy="interrupt")
        await socket.until("completed")
    assert await state_of(place, "t") == (["second"], SECOND)
    with pytest.raises(NotFound):
        await place.runs.find("acme/t", first)


async def test_an_answer_that_was_rolled_back_was_never_given(place: Place) -> None:
    """The question waits as before, and takes another answer."""
    hold(1)
    async with place.socket("t") as socket:
        await place.start("t", "ask")
        await socket.until("interrupted")
        (asked,) = socket.data("input.requested")
        answer = {"interrupt_id": asked["interrupt_id"]}
        run_id = (await place.commands.respond(ANA, "t", {**answer, "response": "first"})).run_id
        with anyio.fail_after(20):
            await Gate.reached.wait()
        await place.commands.cancel(ANA, "t", run_id, "rollback")
        await ended(place, "t")
        assert (await place.threads.get(ANA, "t")).status == "interrupted"
        await place.commands.respond(ANA, "t", {**answer, "response": "other"})
        await socket.until("completed")
    assert await state_of(place, "t") == (["ask"], ["other:1", *(f"ask:{s}" for s in STEPS[1:])])


async def test_a_question_is_open_after_its_answer_was_cancelled(place: Place) -> None:
    """Thread and state say the same of it: there is no question that only one of them knows."""
    hold(1)
    async with place.socket("t") as socket:
        await place.start("t", "ask")
        await socket.until("interrupted")
        (asked,) = socket.data("input.requested")
        answer = {"interrupt_id": asked["interrupt_id"], "response": "first"}
        run_id = (await place.commands.respond(ANA, "t", answer)).run_id
        with anyio.fail_after(20):
            await Gate.reached.wait()
        await place.commands.cancel(ANA, "t", run_id)
        await ended(place, "t")
    row = await place.threads.get(ANA, "t")
    state = await place.engine.state.get(ANA, row)
    assert state is not None
    assert (row.status == "interrupted") == bool(state.interrupts)


async def test_one_key_is_one_run(place: Place) -> None:
    """However often and at whatever moment the client sends again."""
    hold(0)
    started: list[str] = []

    async def send() -> None:
        started.append(await place.start("t", "first", idempotency_key="k"))

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(send)
    await ended(place, "t")
    await send()
    assert len(set(started)) == 1
    assert await state_of(place, "t") == (["first"], [f"first:{step}" for step in STEPS])
    with pytest.raises(IdempotencyConflict):
        await place.start("t", "second", idempotency_key="k")
    assert len(await place.runs.newest("acme/t", 10)) == 1


async def test_a_key_holds_while_the_thread_is_busy(place: Place) -> None:
    """A repeat is the run itself, and not one more message that its strategy would act upon."""
    first = await first_held(place, "t", 2)
    given = {"assistant_id": "g", "input": {"messages": ["second"]}, "idempotency_key": "k"}
    params = parse_object(RunParams, {**given, "multitask_strategy": "interrupt"})
    async with place.socket("t") as socket:
        runs = [await place.commands.start(ANA, "t", params) for _ in range(3)]
        await socket.until("completed")
    assert len({run.run_id for run in runs}) == 1
    assert ends(socket, first) == ["interrupted"]
    assert (await place.runs.find("acme/t", runs[0].run_id)).status == "success"
