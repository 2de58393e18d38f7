"""Sockets: replay, live events without a gap, and who may see them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from runtime.errors import InvalidInput, NoSuchSubscription, PermissionDenied, UnknownCommand
from runtime.events import Logged, encode_event
from runtime.run_record import now_ms
from tests.place import ALL, ANA, BO, Place, Received, echo, open_place

pytestmark = pytest.mark.anyio


@pytest.fixture
async def place(redis_url: str) -> AsyncIterator[Place]:
    async with open_place(redis_url, echo) as place:
        yield place


def some(count: int, start: int = 0) -> list[Any]:
    return [encode_event("values", {"n": n}, event_id=str(n)) for n in range(start, start + count)]


def seqs(received: Received) -> list[int]:
    return [f["seq"] for f in received.frames]


async def until(received: Received, seq: int) -> None:
    with anyio.fail_after(10):
        while not received.frames or received.frames[-1]["seq"] < seq:
            await anyio.sleep(0.005)


async def test_a_subscriber_after_the_start_misses_nothing(place: Place) -> None:
    """Clients subscribe when `run.start` has returned, and a short run may be over by then."""
    async with place.worker(), place.socket("t") as first:
        await place.start("t")
        await first.until("completed")
    async with place.socket("t") as late:
        await late.until("completed")
    assert late.frames == first.frames


async def test_older_runs_are_not_replayed(place: Place) -> None:
    """Their `completed` would end a client's iterators before its own run has begun."""
    async with place.worker(), place.socket("t") as first:
        await place.start("t")
        await first.until("completed")
        await place.start("t", "again")
        await first.until("completed", count=2)
        async with place.socket("t") as late:
            await late.until("completed")
    assert late.lifecycle() == ["running", "completed"]
    assert late.frames[0]["seq"] > 1


async def test_since_continues_behind_any_seq(place: Place) -> None:
    """Whatever a client has seen, it gets exactly the rest."""
    await place.start("t")
    await place.events.append("acme/t", 1, 1, some(10))
    for seen in range(11):
        async with place.socket("t", since=seen) as socket:
            await anyio.lowlevel.checkpoint()
        assert seqs(socket) == list(range(seen + 1, 11))


async def test_a_lost_announcement_leaves_no_gap(place: Place) -> None:
    """Pub/sub is allowed to lose; the seq shows it and the log fills it."""
    await place.start("t")
    async with place.socket("t", since=0) as socket:
        await place.events.append("acme/t", 1, 1, some(2))
        await until(socket, 2)
        # Written behind the hub's back.
        await place.client.hset("{acme/t}:thread", "seq", 3)
        await place.client.xadd(
            "{acme/t}:events", {"m": "values", "n": "", "c": "", "b": '{"x":1,"method":"values"}'}, "3-0"
        )
        await place.events.append("acme/t", 1, 2, some(2, start=9))
        await until(socket, 5)
    assert seqs(socket) == [1, 2, 3, 4, 5]


async def test_a_slow_socket_loses_nothing_and_holds_nobody_up(place: Place) -> None:
    """Its queue is bounded; past that it reads the log."""
    await place.start("t")
    gate = anyio.Event()
    slow = Received()

    class Slow(Received):
        async def send(self, logged: Logged) -> None:
            await gate.wait()
            await slow.send(logged)

    async with place.session("t", ANA, Slow()) as session:
        await session.subscribe({"channels": ALL, "since": 0})
        async with place.socket("t", since=0) as quick:
            for batch in range(1, 201):
                await place.events.append("acme/t", 1, batch, some(3))
            await until(quick, 600)
            gate.set()
            await until(slow, 600)
    assert seqs(slow) == seqs(quick) == list(range(1, 601))


async def test_an_event_is_sent_once_however_many_subscriptions_match(place: Place) -> None:
    """And no more after the last was given up."""
    await place.start("t")
    received = Received()
    async with place.session("t", ANA, received) as session:
        first = await session.subscribe({"channels": ["values"], "since": 0})
        second = await session.subscribe({"channels": ["values", "custom"], "since": 0})
        await place.events.append("acme/t", 1, 1, some(1))
        await until(received, 1)
        for subscription in (first, second):
            await session.unsubscribe(subscription)
        await place.events.append("acme/t", 1, 2, some(1))
        await anyio.sleep(0.05)
    assert seqs(received) == [1]


async def test_a_new_subscription_replays_what_another_has_had(place: Place) -> None:
    """The JS client rotates subscriptions on one socket and wants the tape again."""
    await place.start("t")
    await place.events.append("acme/t", 1, 1, some(2))
    received = Received()
    async with place.session("t", ANA, received) as session:
        assert (await session.subscribe({"channels": ["values"], "since": 0}))["replayed_events"] == 2
        assert (await session.subscribe({"channels": ["values"], "since": 1}))["replayed_events"] == 1
    assert seqs(received) == [1, 2, 2]


async def test_a_watcher_hears_of_a_question_after_the_others(place: Place) -> None:
    """Python's SDK drops what its data socket has not brought when its watcher hears of an interrupt."""
    await place.start("t")
    order: list[str] = []

    class Named(Received):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        async def send(self, logged: Logged) -> None:
            await anyio.sleep(0.005)
            if logged.event.method == "input.requested" or '"n":9' in logged.event.body:
                order.append(self.name)

    async with (
        place.session("t", ANA, Named("watcher")) as watcher,
        place.session("t", ANA, Named("data")) as data,
    ):
        await watcher.subscribe({"channels": ["lifecycle", "input"]})
        await data.subscribe({"channels": ["values"]})
        asked = encode_event("input.requested", {"interrupt_id": "i"}, event_id="q")
        await place.events.append("acme/t", 1, 1, [*some(10), asked])
        with anyio.fail_after(5):
            while len(order) < 2:
                await anyio.sleep(0.01)
    assert order == ["data", "watcher"]


async def test_a_thread_taken_by_somebody_else_stays_closed(place: Place) -> None:
    """Waiting on an id before it exists gives no view of another user's conversation."""
    received = Received()
    with pytest.RaisesGroup(PermissionDenied):
        async with place.session("t", BO, received) as session:
            await session.subscribe({"channels": ALL})
            await place.start("t")
            await place.events.append("acme/t", 1, 1, some(3))
            await anyio.sleep(2)
    assert received.frames == []


async def test_commands_of_a_subscription_are_checked(place: Place) -> None:
    """Each fault has its error, and the session lives on."""
    async with place.session("t", ANA, Received()) as session:
        with pytest.raises(InvalidInput):
            await session.command("subscription.subscribe", {"channels": []})
        with pytest.raises(NoSuchSubscription):
            await session.command("subscription.unsubscribe", {"subscription_id": "x"})
        with pytest.raises(UnknownCommand):
            await session.command("subscription.nonsense", {})
        assert await session.command("subscription.subscribe", {"channels": ["values"]})


async def test_the_hub_survives_a_cut_connection(place: Place) -> None:
    """Redis restarts; the sockets go on."""
    await place.start("t")
    async with place.socket("t", since=0) as socket:
        await place.client.client_kill_filter(_type="pubsub")
        await place.events.append("acme/t", 1, 1, some(2))
        await until(socket, 2)
    assert seqs(socket) == [1, 2]


async def unannounced(place: Place, seq: int) -> None:
    """An event that is in the log and that no socket was told of."""
    await place.client.hset("{acme/t}:thread", "seq", seq)
    fields: Any = {"m": "custom", "n": "", "c": "", "b": '{"x":1,"method":"custom"}'}
    await place.client.xadd("{acme/t}:events", fields, f"{seq}-0")


async def test_a_snapshot_for_one_subscription_takes_nothing_from_the_others(place: Place) -> None:
    """It may be newer than what the others have been sent."""
    async with place.worker(), place.socket("t") as first:
        await place.start("t")
        await first.until("completed")
    head = await place.events.last_seq("acme/t")
    received = Received()
    async with place.session("t", ANA, received) as session:
        await session.subscribe({"channels": ALL, "since": head})
        for seq in (head + 1, head + 2):
            await unannounced(place, seq)
        await place.client.xtrim("{acme/t}:events", minid="4-0", approximate=False)
        result = await session.subscribe({"channels": ["values"], "since": 1})
    assert result["resume_gap"]["seq"] == head + 2
    assert [(f["seq"], f["method"]) for f in received.frames] == [
        (head + 1, "custom"),
        (head + 2, "custom"),
        (head + 2, "values"),
    ]


async def test_a_socket_without_subscriptions_is_not_waited_for(place: Place) -> None:
    """It was sent nothing and never will be: each read of the state would wait in vain."""
    await place.start("t")
    await place.events.append("acme/t", 1, 1, some(3))
    async with place.session("t", ANA, Received()):
        with anyio.fail_after(5):
            await place.hub.all_sent("acme/t", 3)


async def test_a_connection_holds_so_many_subscriptions_and_no_more(place: Place) -> None:
    """Each is memory of the server's; a client that subscribes for ever is told to stop."""
    async with place.session("t", ANA, Received()) as session:
        for _ in range(100):
            await session.subscribe({"channels": ["values"]})
        with pytest.raises(InvalidInput, match="at most 100"):
            await session.subscribe({"channels": ["values"]})


async def test_who_comes_back_late_sees_the_end_and_a_watcher_does_not(place: Place) -> None:
    """JavaScript's SDK names no `since` after a drop; a Python watcher takes an old end for the new one."""
    async with place.worker(), place.socket("t") as first:
        await place.start("t")
        await first.until("completed")
    await place.client.hset("{acme/t}:thread", "ended", now_ms() - 10_000)
    async with place.socket("t") as late, place.socket("t", channels=["lifecycle", "input"]) as watcher:
        await late.until("completed")
    assert late.frames == first.frames and watcher.frames == []
