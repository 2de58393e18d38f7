"""A thread's state over HTTP: what cannot be read or taken is refused by name, and spoils nothing else."""

from __future__ import annotations

import json
import operator
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Annotated, Any, cast

import anyio
import orjson
import pytest
from langgraph.config import get_stream_writer
from langgraph.func import entrypoint
from langgraph.graph import END, START, MessagesState, StateGraph

from runtime.api import runs, state, threads
from runtime.api.call import Call, Operation, Reply
from runtime.catalog import Catalog
from runtime.engine import Engine
from runtime.errors import AppError, Conflict, InvalidInput, NotFound, ThreadBusy
from runtime.events import encode_json
from runtime.failure import status_of
from runtime.json_text import MAX_INPUT_LEVELS
from runtime.snapshot import take_snapshot
from runtime.thread_state import ThreadState
from tests.operations import ask
from tests.place import ANA, Place, open_place

pytestmark = pytest.mark.anyio

SECRET = "what the customer said"


def nested(levels: int) -> Any:
    """So many arrays within each other."""
    value: Any = "core"
    for _ in range(levels):
        value = [value]
    return value


class State(MessagesState):
    items: Annotated[list[Any], operator.add]
    note: Any


class Gate:
    """Holds an update of the state at its last step."""

    def __init__(self) -> None:
        self.reached, self.open = anyio.Event(), anyio.Event()


def graph_of(gate: Gate) -> StateGraph[Any, Any, Any, Any]:
    async def step(given: State) -> dict[str, Any]:
        if given["messages"][-1].text == "fail":
            raise ValueError(SECRET)
        if given["messages"][-1].text == "echo":
            return {}
        if given["messages"][-1].text == "odd":
            get_stream_writer()({"number": 2**64, "half": "\ud83d"})
            return {"note": {(1, 2): "a"}}
        return {"items": ["ran"]}

    async def route(given: State) -> str:
        if given.get("note") == "hold":
            gate.reached.set()
            await gate.open.wait()
        return END

    graph = StateGraph(State)
    graph.add_node("step", cast(Any, step))
    graph.add_edge(START, "step")
    graph.add_conditional_edges("step", route, [END])
    return graph


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
async def place(redis_url: str, gate: Gate) -> AsyncIterator[Place]:
    """With a thread `t` on which one run has ended."""
    async with open_place(redis_url, lambda: graph_of(gate)) as place:
        async with place.worker():
            await ran(place, "hello")
        yield place


async def ran(place: Place, text: str, **params: Any) -> Reply:
    """The outcome of one more run on `t`."""
    run_id = await place.start("t", text, **params)
    reply: Reply = await ask(place.engine, runs.join, thread_id="t", run_id=run_id)
    return reply


async def read(place: Place) -> dict[str, Any]:
    """The state, through JSON."""
    found: dict[str, Any] = orjson.loads(
        encode_json(await ask(place.engine, state.get, query={}, thread_id="t"))
    )
    return found


def serving(place: Place, **sources: Any) -> Engine:
    """The same threads, on an installation of other graphs."""
    catalog = Catalog(sources, place.saver, place.engine.store)
    return replace(place.engine, catalog=catalog, state=ThreadState(place.threads, catalog))


async def refusal(place: Place, function: Callable[..., Any], body: dict[str, Any]) -> AppError:
    """The error that a body gets; whatever is not ours would be `internal`."""
    # json, as orjson does not write what is nested this deep, though it reads it.
    raw = json.dumps(body).encode()
    with pytest.raises(AppError) as caught:
        await Operation("POST", "/", function).answer(place.engine, Call(ANA, {"thread_id": "t"}), raw)
    return caught.value


async def test_an_unknown_checkpoint_changes_nothing(place: Place) -> None:
    """LangGraph would begin an empty state there, and the thread's would be lost."""
    before = await read(place)
    for where in ({"checkpoint_id": "nonsense"}, {"checkpoint": {"checkpoint_id": "nonsense"}}):
        error = await refusal(place, state.update, {"values": {"note": "n"}, **where})
        assert isinstance(error, NotFound) and "nonsense" in str(error)
    assert await read(place) == before


async def test_a_known_checkpoint_is_forked(place: Place) -> None:
    """An update at an earlier checkpoint goes on from there."""
    earlier = (await ask(place.engine, state.history, thread_id="t"))[-1]["checkpoint"]
    await ask(place.engine, state.update, {"values": {"note": "n"}, "checkpoint": earlier}, thread_id="t")
    found = await read(place)
    assert (found["values"]["items"], found["values"]["note"]) == ([], "n")


@pytest.mark.parametrize("ends", [False, True])
async def test_an_update_that_a_run_overtook(place: Place, gate: Gate, ends: bool) -> None:
    """It is refused, whether the run still works or not, and a thread that works is not shown as idle."""
    outcome: list[AppError] = []

    async def update() -> None:
        outcome.append(await refusal(place, state.update, {"values": {"note": "hold"}, "as_node": "step"}))

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(update)
            await gate.reached.wait()
            if ends:
                async with place.worker():
                    await ran(place, "overtakes")
            else:
                await place.start("t")
            gate.open.set()
    assert isinstance(outcome[0], ThreadBusy) and "meanwhile" in str(outcome[0])
    row = await place.threads.get(ANA, "t")
    assert (row.status, bool(row.active)) == (("idle", False) if ends else ("busy", True))


async def test_what_json_cannot_carry_is_read(place: Place) -> None:
    """A graph's own values must not make its thread unreadable, nor the list in which it stands."""
    async with place.worker():
        await ran(place, "odd")
    assert (await read(place))["values"]["note"] == {"(1, 2)": "a"}
    found = await ask(place.engine, threads.search)
    assert orjson.loads(encode_json(found.value))[0]["values"]["note"] == {"(1, 2)": "a"}


async def test_what_json_cannot_carry_is_streamed(place: Place) -> None:
    """Nor may what a node streams end its run."""
    async with place.worker(), place.socket("t", since=0) as socket:
        await place.start("t", "odd")
        await socket.until("completed", count=2)
    (custom,) = socket.data("custom")
    assert custom == {"number": str(2**64), "half": "\ufffd"}


async def test_the_deepest_input_is_read_back(place: Place) -> None:
    """What was let in comes out whole: by the run's outcome, the state and the search."""
    deep = nested(MAX_INPUT_LEVELS - 1)
    async with place.worker():
        reply = await ran(place, "", input={"messages": [{"role": "user", "content": "echo"}], "note": deep})
    assert orjson.loads(encode_json(reply.value))["note"] == deep
    assert (await read(place))["values"]["note"] == deep
    found = await ask(place.engine, threads.search)
    assert orjson.loads(encode_json(found.value))[0]["values"]["note"] == deep


async def test_the_text_of_an_exception_stays(place: Place) -> None:
    """The state names its type only: the text may hold the conversation."""
    async with place.worker():
        await ran(place, "fail")
    found = await read(place)
    assert [task["error"] for task in found["tasks"]] == ["ValueError"]
    assert SECRET not in str(found["tasks"])


MALFORMED: list[tuple[Callable[..., Any], dict[str, Any], int]] = [
    (state.get_at, {"checkpoint": {"checkpoint_ns": 5}}, 422),
    (state.history, {"checkpoint": {"checkpoint_ns": 5}}, 422),
    (state.history, {"before": {"configurable": 5}}, 422),
    (state.history, {"before": {"checkpoint_id": 5}}, 422),
    (state.update, {"values": {}, "checkpoint": {"checkpoint_ns": 5}}, 422),
    (state.update, {"values": {}, "checkpoint": {"checkpoint_ns": "x:1"}}, 404),
    (state.update, {"values": {"messages": [{"foo": 1}]}}, 422),
    (state.update, {"values": {"messages": 5}}, 422),
    (state.update, {"values": {"items": 5}}, 422),
    (state.update, {"values": {"note": nested(400)}}, 422),
    (runs.create, {"assistant_id": "g", "input": {"note": nested(252)}}, 422),
    (threads.create, {"thread_id": "new", "metadata": {"deep": nested(300)}}, 422),
    (threads.patch, {"metadata": {"deep": nested(300)}}, 422),
    (threads.search, {"metadata": {"deep": nested(300)}}, 422),
]


@pytest.mark.parametrize(("function", "body", "status"), MALFORMED)
async def test_malformed_bodies(
    place: Place, function: Callable[..., Any], body: dict[str, Any], status: int
) -> None:
    """They are refused by name, and nothing of them stays."""
    before = await read(place)
    assert status_of(await refusal(place, function, body)) == status
    assert await read(place) == before
    assert await place.threads.find(ANA, "new") is None


async def test_a_bound_of_nothing_is_none(place: Place) -> None:
    """Clients send `configurable: null` for no bound."""
    everything = await ask(place.engine, state.history, thread_id="t")
    assert (
        await ask(place.engine, state.history, {"before": {"configurable": None}}, thread_id="t")
        == everything
    )


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("state.get", {"keys": 5}),
        ("state.get", {"keys": 1.5}),
        ("state.get", {"keys": True}),
        ("state.get", {"keys": [5]}),
        ("state.listCheckpoints", {"limit": True}),
        ("state.listCheckpoints", {"before": 5}),
        ("agent.getTree", {"run_id": 5}),
    ],
)
async def test_malformed_params(place: Place, method: str, params: dict[str, Any]) -> None:
    """The commands refuse them by name too."""
    with pytest.raises(InvalidInput, match=next(iter(params))):
        await place.commands.run(ANA, "t", method, params)


async def test_keys_of_the_state(place: Place) -> None:
    """`state.get` gives those that are named."""
    found, _ = await place.commands.run(ANA, "t", "state.get", {"keys": ["items"]})
    assert found["values"] == {"items": ["ran"]}


async def test_search_survives_a_graph_that_cannot_be_made(place: Place) -> None:
    """One broken or withdrawn graph must not take the whole list away."""

    def broken() -> Any:
        raise OSError("no licence")

    for engine in (serving(place, g=broken), serving(place, other=graph_of(Gate()))):
        (row,) = (await ask(engine, threads.search)).value
        assert (row["thread_id"], row["values"]) == ("t", None)
        assert (await ask(engine, threads.search, {"values": {"items": ["ran"]}})).value == []


async def test_a_second_thread_of_the_same_id(place: Place) -> None:
    """It exists already: that is no busy thread, and trying again does not help."""
    error = await refusal(place, threads.create, {"thread_id": "t"})
    assert isinstance(error, Conflict) and status_of(error) == 409


@pytest.mark.parametrize("output", ["a text", 0, ["a", "list"]])
async def test_an_entrypoints_output(redis_url: str, output: Any) -> None:
    """It need be no object: the outcome and the state are what the function returned."""

    @entrypoint()
    async def answer(given: Any) -> Any:
        return output

    def build() -> Any:
        return answer

    async with open_place(redis_url, build) as place, place.worker():
        assert (await ran(place, "hello")).value == output
        assert (await read(place))["values"] == output
        assert (await place.commands.run(ANA, "t", "state.get", {}))[0]["values"] == output
        assert (await take_snapshot(place.threads, place.engine.state, ANA, "t")).values == output
        assert (await ask(place.engine, threads.search, {"values": {"a": 1}})).value == []


async def test_a_snapshot_reads_a_page(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a run in flight it reads states until it meets the one before: not all that there are."""
    for _ in range(20):
        await ask(place.engine, state.update, {"values": {"items": ["more"]}}, thread_id="t")
    await place.start("t")
    limits: list[int] = []
    plain = ThreadState.history

    async def counted(self: ThreadState, *args: Any, **options: Any) -> Any:
        limits.append(args[2])
        return await plain(self, *args, **options)

    monkeypatch.setattr(ThreadState, "history", counted)
    found = await take_snapshot(place.threads, place.engine.state, ANA, "t")
    assert len(found.values["items"]) == 21
    assert sum(limits) < 20
