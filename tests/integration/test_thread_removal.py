"""Deleting a thread: what must go, what must stay, and who must not see what comes under its id."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from runtime.errors import NotFound, PermissionDenied, RedisUnavailable, ThreadBusy
from runtime.events import encode_event
from runtime.run_record import RunRequest
from tests.place import ALL, ANA, BO, Place, Received, echo, open_place

pytestmark = pytest.mark.anyio

T = "acme/t"
GO = RunRequest(payload=None, graph="g")


@pytest.fixture
async def place(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    """Its hub does not look by itself, but in the test that is about that."""
    monkeypatch.setattr("runtime.hub._LOOK_S", 3_600)
    async with open_place(redis_url, echo) as place:
        yield place


async def ran(place: Place) -> None:
    """A thread of Ana's with a run that is over."""
    async with place.worker(), place.socket("t") as socket:
        await place.start("t")
        await socket.until("completed")


def values(count: int) -> list[Any]:
    return [encode_event("values", {"n": n}, event_id=str(n)) for n in range(count)]


async def until(received: Received, count: int) -> None:
    with anyio.fail_after(5):
        while len(received.frames) < count:
            await anyio.sleep(0.005)


async def text(place: Place) -> list[str]:
    state = await place.engine.state.get(ANA, await place.threads.get(ANA, "t"))
    return [message.text for message in state.values["messages"]] if state else []


async def test_nothing_stays(place: Place) -> None:
    """Only the fence, which refuses stale writers for a while, outlives a thread."""
    await ran(place)
    await place.engine.removal.remove(T)
    assert [key async for key in place.client.scan_iter("*acme/t*")] == [b"{acme/t}:fence"]
    assert [row async for row in place.threads.all(ANA)] == []
    await place.engine.removal.remove(T)


async def test_an_open_socket_sees_nothing_of_the_next_owner(place: Place) -> None:
    """Ana's socket must not be sent Bo's conversation because he has taken an id that was hers."""
    await ran(place)
    received = Received()
    with pytest.RaisesGroup(NotFound):
        async with place.session("t", ANA, received) as session:
            await session.subscribe({"channels": ALL, "since": await place.events.last_seq(T)})
            await place.engine.removal.remove(T)
            await anyio.sleep(5)
    assert received.frames == []


@pytest.mark.parametrize(("user", "error"), [(ANA, NotFound), (BO, PermissionDenied)])
@pytest.mark.parametrize("later", [0, 3])
async def test_a_removal_that_was_not_heard_of_is_seen(
    place: Place, user: Any, error: type[Exception], later: int
) -> None:
    """Announcements get lost: a log that begins anew, behind the socket or ahead of it, tells it too."""
    await place.runs.start(T, ANA, GO)
    received = Received()
    with pytest.RaisesGroup(error):
        async with place.session("t", ANA, received) as session:
            await session.subscribe({"channels": ALL, "since": 0})
            await place.events.append(T, 1, 1, values(2))
            await until(received, 2)
            # Or what woke the socket so far lets it look in the moment in which nobody has the thread.
            await anyio.sleep(0.2)
            await place.client.delete("{acme/t}:thread", "{acme/t}:events", "{acme/t}:pending")
            await place.runs.start(T, user, GO)
            # Behind the hub's back, as far as `later` says.
            await place.client.hset("{acme/t}:thread", "seq", later)
            await place.events.append(T, 1, 1, values(1))
            await anyio.sleep(5)
    assert len(received.frames) == 2


async def test_a_removal_is_seen_without_anything_new(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A socket that follows what is no more would wait for ever."""
    monkeypatch.setattr("runtime.hub._LOOK_S", 0.05)
    received = Received()
    with pytest.RaisesGroup(NotFound, flatten_subgroups=True):
        async with open_place(redis_url, echo) as place, place.session("t", ANA, received) as session:
            await place.runs.start(T, ANA, GO)
            await session.subscribe({"channels": ALL})
            await place.events.append(T, 0, 1, values(2))
            await until(received, 2)
            await place.client.delete("{acme/t}:thread", "{acme/t}:events")
            await anyio.sleep(5)


async def test_a_socket_without_subscriptions_reads_the_new_thread(place: Place) -> None:
    """It was shown nothing of the old one, so nothing is mixed up."""
    await ran(place)
    received = Received()
    async with place.session("t", ANA, received) as session:
        await session.unsubscribe(await session.subscribe({"channels": ALL}))
        await place.engine.removal.remove(T)
        await place.runs.start(T, ANA, GO)
        seen = len(received.frames)
        await session.subscribe({"channels": ALL})
        await place.events.append(T, 100, 1, values(1))
        await until(received, seen + 1)


@pytest.mark.parametrize("step", ["start", "claim"])
async def test_the_fence_of_a_reused_id_does_not_expire(place: Place, step: str) -> None:
    """Its end was set when the old thread went; in the middle of a run it would let stale writers in."""
    await ran(place)
    await place.engine.removal.remove(T)
    assert await place.client.pttl("{acme/t}:fence") > 0
    run_id = (await place.runs.start(T, ANA, GO)).run_id
    if step == "claim":
        await place.client.pexpire("{acme/t}:fence", 60_000)
        assert await place.runs.claim(T, run_id, "w1")
    assert await place.client.pttl("{acme/t}:fence") == -1


async def test_a_refused_removal_changes_nothing(place: Place) -> None:
    """A run that began in the last moment must find the conversation that it goes on with."""
    await ran(place)
    await place.runs.start(T, ANA, GO)
    with pytest.raises(ThreadBusy):
        await place.engine.removal.remove(T)
    assert await text(place) == ["go", "go"]
    assert (await place.threads.get(ANA, "t")).status == "busy"


@pytest.mark.parametrize("strategy", ["reject", "enqueue", "interrupt", "rollback"])
async def test_nothing_starts_on_a_thread_that_is_going(
    place: Place, strategy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that began in between would lose its state; after a crash the thread can still be deleted."""
    await ran(place)

    async def fail(thread: str) -> None:
        with pytest.raises(ThreadBusy, match="being deleted"):
            await place.runs.start(T, ANA, RunRequest(payload=None, graph="g", strategy=strategy))
        raise RedisUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(place.engine.removal.saver, "adelete_thread", fail)
        with pytest.raises(RedisUnavailable):
            await place.engine.removal.remove(T)
    await place.engine.removal.remove(T)
    assert await place.threads.find(ANA, "t") is None
    await place.runs.start(T, ANA, GO)


async def test_a_removal_that_comes_late_spares_the_next_thread(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two deletions at once: what began after the first one's end is not the second one's to take."""
    await ran(place)
    delete = place.engine.removal.saver.adelete_thread

    async def overtaken(thread: str) -> None:
        monkeypatch.setattr(place.engine.removal.saver, "adelete_thread", delete)
        await place.engine.removal.remove(thread)
        await place.runs.start(T, BO, GO)

    monkeypatch.setattr(place.engine.removal.saver, "adelete_thread", overtaken)
    await place.engine.removal.remove(T)
    assert (await place.threads.get(BO, "t")).status == "busy"


async def test_late_writes_bring_nothing_back(place: Place) -> None:
    """A row without an owner is in nobody's list, and nobody could delete it."""
    await ran(place)
    get = place.threads.get

    async def gone_then(user: Any, thread_id: str) -> Any:
        row = await get(user, thread_id)
        await place.engine.removal.remove(T)
        return row

    place.threads.get = gone_then  # type: ignore[method-assign]  # the moment between reading and writing
    with pytest.raises(NotFound):
        await place.threads.patch(ANA, "t", {"a": 1})
    assert not await place.threads.set_status(ANA, "t", "idle")
    assert not await place.client.exists("{acme/t}:thread")
