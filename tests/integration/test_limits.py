"""What a run may take: time of a step, supersteps, tokens; and threads that go on after it was stopped."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from langchain_core.language_models.fake_chat_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage
from langgraph.graph import START, MessagesState, StateGraph

from runtime.context import Context
from tests.place import ANA, Place, open_place

pytestmark = pytest.mark.anyio

USED = AIMessage("word", usage_metadata={"input_tokens": 40, "output_tokens": 2, "total_tokens": 42})
MODEL = FakeMessagesListChatModel(responses=[USED])


class Blocked:
    """A synchronous node that works on until it is let go."""

    begun = threading.Event()
    go = threading.Event()
    ended = threading.Event()


async def think(state: MessagesState) -> dict[str, Any]:
    return {"messages": [await MODEL.ainvoke(state["messages"])]}


def block(state: MessagesState) -> dict[str, Any]:
    Blocked.begun.set()
    Blocked.go.wait(10)
    Blocked.ended.set()
    return {}


async def hang(state: MessagesState) -> dict[str, Any]:
    await anyio.sleep_forever()
    return {}


def where(state: MessagesState) -> str:
    return {"block": "block", "hang": "hang"}.get(state["messages"][0].text, "think")


def build() -> StateGraph[Any, Any, Any, Any]:
    graph = StateGraph(MessagesState, context_schema=Context)
    for node in (think, block, hang):
        graph.add_node(node)
    graph.add_conditional_edges(START, where, ["think", "block", "hang"])
    graph.add_edge("think", "think")
    return graph


@pytest.fixture
async def place(redis_url: str) -> AsyncIterator[Place]:
    for event in (Blocked.begun, Blocked.go, Blocked.ended):
        event.clear()
    async with open_place(redis_url, build) as place:
        yield place
    Blocked.go.set()


async def failure(place: Place, text: str, **params: Any) -> dict[str, Any]:
    seq = await place.events.last_seq("acme/t")
    async with place.socket("t", since=seq) as socket:
        await place.start("t", text, **params)
        await socket.until("failed")
    assert (await place.threads.get(ANA, "t")).active == ""
    found: dict[str, Any] = socket.data("lifecycle")[-1]
    return found


async def test_a_run_that_uses_too_many_tokens_ends(place: Place) -> None:
    """The bill is bounded, and the record says what was used."""
    async with place.worker(tokens=100):
        failed = await failure(place, "go")
    assert failed["code"] == "token_limit" and "100" in failed["error"]
    (run,) = await place.runs.newest("acme/t", 1)
    used = [usage["total_tokens"] for usage in run.usage.values()]
    assert run.status == "error" and used == [126]


async def test_a_step_that_takes_too_long_ends_the_run(place: Place) -> None:
    """A node that hangs costs its time limit, not the run's."""
    async with place.worker(step_timeout_s=0.2):
        assert (await failure(place, "hang"))["code"] == "node_timeout"


async def test_supersteps_are_limited_by_the_server_and_the_client(place: Place) -> None:
    """Whichever said so."""
    async with place.worker(recursion=5):
        assert (await failure(place, "go"))["code"] == "recursion_limit"
        failed = await failure(place, "go", config={"recursion_limit": 3})
        assert failed["code"] == "recursion_limit" and "3" in failed["error"]
        failed = await failure(place, "go", config={"recursion_limit": 10**9})
    assert failed["code"] == "recursion_limit" and "50" in failed["error"]


async def test_a_cancelled_thread_is_waited_for(place: Place) -> None:
    """A synchronous node cannot be stopped: the run has settled when it has."""
    async with place.worker(), place.socket("t") as socket:
        run_id = await place.start("t", "block")
        await anyio.to_thread.run_sync(Blocked.begun.wait, 10)
        await place.commands.cancel(ANA, "t", run_id)
        await anyio.sleep(0.3)
        assert "failed" not in socket.lifecycle()
        assert (await place.runs.find("acme/t", run_id)).status == "running"
        Blocked.go.set()
        await socket.until("failed")
        assert Blocked.ended.is_set()
        assert socket.data("lifecycle")[-1]["settled"]["still_working"] is False


async def test_a_thread_that_never_ends_is_told_of(place: Place) -> None:
    """The conversation goes on; what is left behind is not hidden."""
    async with place.worker(stop_grace_s=0.2), place.socket("t") as socket:
        run_id = await place.start("t", "block")
        await anyio.to_thread.run_sync(Blocked.begun.wait, 10)
        await place.commands.cancel(ANA, "t", run_id)
        await socket.until("failed")
        assert socket.data("lifecycle")[-1]["settled"]["still_working"] is True
        Blocked.go.set()
