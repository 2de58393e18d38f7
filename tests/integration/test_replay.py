"""Replay on a private copy."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import interrupt

from runtime.context import Context
from runtime.errors import NotFound
from runtime.replay import replay
from tests.place import ANA, Place, context_for, open_place

pytestmark = pytest.mark.anyio


class World:
    """What the node says; a test changes it to make a replay differ."""

    mood = "good"


async def answer(state: MessagesState) -> dict[str, Any]:
    text = state["messages"][-1].text
    said = interrupt("sure?") if text == "ask" else f"{World.mood}: {text}"
    return {"messages": [("ai", said)]}


def build() -> StateGraph[Any, Any, Any, Any]:
    graph = StateGraph(MessagesState, context_schema=Context)
    graph.add_node("answer", answer)
    graph.add_edge(START, "answer")
    return graph


@pytest.fixture
async def place(redis_url: str) -> AsyncIterator[Place]:
    World.mood = "good"
    async with open_place(redis_url, build) as place, place.worker():
        yield place


async def held(place: Place, *texts: str) -> None:
    async with place.socket("t") as socket:
        for number, text in enumerate(texts, 1):
            await place.start("t", text)
            await socket.until("completed", count=number)


async def test_each_turn_is_played_again_and_the_original_stays(place: Place) -> None:
    """No checkpoint is added to it, and nothing of the copy is left behind."""
    await held(place, "one", "two", "three")
    keys = sorted(await place.client.keys())
    turns = await replay(place.graphs["g"], place.saver, "acme/t", context_for(ANA))
    assert [turn.number for turn in turns] == [1, 2, 3]
    assert not any(turn.differences for turn in turns)
    assert sorted(await place.client.keys()) == keys


async def test_a_difference_is_shown_where_it_is(place: Place) -> None:
    """Each turn starts from what was recorded, so one difference does not spread."""
    await held(place, "one", "two")
    World.mood = "bad"
    first, second = await replay(place.graphs["g"], place.saver, "acme/t", context_for(ANA))
    was, now = second.differences["messages"]
    assert first.differences.keys() == {"messages"}
    assert (was[1], now[1]) == (("ai", "good: one", []), ("ai", "good: one", []))
    assert (was[3], now[3]) == (("ai", "good: two", []), ("ai", "bad: two", []))


async def test_a_question_to_a_human_ends_a_turns_replay(place: Place) -> None:
    """What the human said is not made up."""
    async with place.socket("t") as socket:
        await place.start("t", "ask")
        await socket.until("interrupted")
        (asked,) = socket.data("input.requested")
        await place.commands.respond(ANA, "t", {"interrupt_id": asked["interrupt_id"], "response": "yes"})
        await socket.until("completed")
    (turn,) = await replay(place.graphs["g"], place.saver, "acme/t", context_for(ANA))
    assert turn.interrupted and not turn.differences


async def test_a_thread_without_checkpoints_is_named(place: Place) -> None:
    """Nothing is replayed by guesswork."""
    with pytest.raises(NotFound, match="acme/nowhere"):
        await replay(place.graphs["g"], place.saver, "acme/nowhere", context_for(ANA))
