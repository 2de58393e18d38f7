"""The event log is bounded: what that may cost a client, and what it must not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import anyio
import pytest

from runtime.events import Logged
from runtime.session import open_session
from tests.place import ALL, ANA, Place, Received, open_place
from tests.proofs.graphs import LONG, build_modes

pytestmark = pytest.mark.anyio

KEPT = 150
NODE = 100
"""Redis drops whole nodes of a stream, so that many entries more may stay."""


@pytest.fixture
async def place(redis_url: str) -> AsyncIterator[Place]:
    async with open_place(redis_url, build_modes, kept=KEPT) as place, place.worker():
        yield place


async def run_to_end(place: Place, thread: str, text: str, **params: Any) -> None:
    async with place.socket(thread) as socket:
        run_id = await place.start(thread, text, **params)
        with anyio.fail_after(20):
            while f"synth:{run_id}:lc||completed" not in [f["event_id"] for f in socket.frames]:
                await anyio.sleep(0.002)


async def length(place: Place, thread: str) -> int:
    return int(await place.client.xlen(f"{{acme/{thread}}}:events"))


async def first_seq(place: Place, thread: str) -> int:
    return await place.events.first_seq(f"acme/{thread}") or 0


async def last_seq(place: Place, thread: str) -> int:
    return await place.events.last_seq(f"acme/{thread}")


def snapshots(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [frame for frame in frames if "resume_gap" in frame["params"]]


def check_rebuilt(frames: list[dict[str, Any]], tape: list[dict[str, Any]]) -> None:
    """A snapshot first, then all that comes after it; its state is the one that `tape` had told by then."""
    first, *others = frames
    assert snapshots(frames) == [first]
    gap = first["params"]["resume_gap"]
    assert first["method"] == "values" and first["seq"] == gap["seq"] >= gap["min_available_seq"] - 1
    assert [frame["seq"] for frame in others] == list(range(gap["seq"] + 1, gap["seq"] + 1 + len(others)))
    told = [f for f in tape if f["method"] == "values" and f["seq"] <= gap["seq"] and not snapshots([f])]
    assert first["params"]["data"] == told[-1]["params"]["data"]


async def test_a_run_in_flight_is_whole_however_long(place: Place) -> None:
    """Its events are several times as many as are kept; a client that comes late is shown them all."""
    async with place.socket("t") as socket:
        await place.start("t", "stream")
        with anyio.fail_after(20):
            while len(socket.text()) < 3 * KEPT:
                await anyio.sleep(0.002)
        async with place.socket("t", since=0) as late:
            await late.until("completed")
        await socket.until("completed")
    assert late.frames == socket.frames and len(socket.frames) > len(LONG)


async def test_the_log_is_bounded(place: Place) -> None:
    """Once a run is over, its events make room for those of the next ones."""
    for text in ("stream", *["brief"] * 12):
        await run_to_end(place, "t", text)
    assert await length(place, "t") <= KEPT + NODE
    assert await last_seq(place, "t") > len(LONG)


async def test_a_client_that_was_away_too_long_gets_the_state(place: Place) -> None:
    """At rest and while a run is in flight: a snapshot and its seq, then everything after it."""
    async with place.socket("t") as tape:
        for text in ("stream", *["brief"] * 12):
            await run_to_end(place, "t", text)
        assert await first_seq(place, "t") > 2
        async with place.socket("t", since=1) as at_rest:
            check_rebuilt(at_rest.frames, tape.frames)
            assert len(at_rest.frames) == 1
            ended = tape.lifecycle().count("completed")
            await place.start("t", "stream")
            with anyio.fail_after(20):
                while tape.text().count("a sentence") < 25:
                    await anyio.sleep(0.002)
            async with place.socket("t", since=1) as in_flight:
                await in_flight.until("completed")
            await tape.until("completed", count=ended + 1)
            await at_rest.until("completed")
    check_rebuilt(at_rest.frames, tape.frames)
    check_rebuilt(in_flight.frames, tape.frames)
    assert len(in_flight.frames) > len(LONG)


async def test_a_client_that_has_all_but_what_went_needs_no_state(place: Place) -> None:
    """Only what it has not seen counts."""
    for text in ("stream", *["brief"] * 12):
        await run_to_end(place, "t", text)
    since = await first_seq(place, "t") - 1
    async with place.socket("t", since=since) as socket:
        assert snapshots(socket.frames) == [] and socket.frames[0]["seq"] == since + 1
    async with place.socket("t", since=await last_seq(place, "t")) as socket:
        assert socket.frames == []


async def test_while_runs_begin_and_end_all_the_time(place: Place) -> None:
    """Wherever a client comes in between, its snapshot and what follows fit together."""
    async with place.socket("t") as tape:
        await run_to_end(place, "t", "stream")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_runs, place, 40)
            seen: list[Received] = []
            while tape.lifecycle().count("completed") < 41:
                async with place.socket("t", since=1) as socket:
                    seen.append(socket)
                    await anyio.sleep(0.02)
    rebuilt = [socket for socket in seen if snapshots(socket.frames)]
    assert len(rebuilt) > 10
    for socket in rebuilt:
        check_rebuilt(socket.frames, tape.frames)


async def _runs(place: Place, count: int) -> None:
    for _ in range(count):
        await place.start("t", "brief")
        await anyio.sleep(0.005)


async def test_age_too(redis_url: str) -> None:
    """The log of a thread at rest goes; that of a run in flight stays, however long it takes."""
    async with open_place(redis_url, build_modes, age_s=1) as place, place.worker():
        async with place.socket("t") as tape:
            await run_to_end(place, "t", "brief")
            with anyio.fail_after(20):
                while await length(place, "t"):
                    await anyio.sleep(0.01)
            async with place.socket("t", since=1) as late:
                check_rebuilt(late.frames, tape.frames)
            seq = await last_seq(place, "t")
            await place.start("t", "stream")
            await tape.until("completed", count=2)
            async with place.socket("t", since=seq) as whole:
                assert whole.frames == [f for f in tape.frames if f["seq"] > seq]
            async with place.socket("t", since=1) as late:
                check_rebuilt(late.frames, tape.frames)


async def test_old_runs_go_when_a_new_one_begins(redis_url: str) -> None:
    """A thread in constant use keeps no more than the runs of that age."""
    async with open_place(redis_url, build_modes, age_s=0.5) as place, place.worker():
        for _ in range(3):
            await run_to_end(place, "t", "brief")
            await anyio.sleep(0.3)
        assert 1 < await first_seq(place, "t") <= await last_seq(place, "t")


async def test_a_socket_that_was_too_slow_gets_the_state(place: Place) -> None:
    """What it has not been sent has left the log meanwhile: it is told, instead of missing it unknowingly."""
    frames, stalled, go_on = Received(), anyio.Event(), anyio.Event()

    async def send(logged: Logged) -> None:
        await frames.send(logged)
        if len(frames.frames) == 3:
            stalled.set()
            await go_on.wait()

    async with place.socket("t") as tape, open_session(ANA, "t", place.engine, send) as session:
        await session.subscribe({"channels": ALL, "since": 0})
        for text in ("stream", *["brief"] * 12):
            await run_to_end(place, "t", text)
        assert stalled.is_set() and await first_seq(place, "t") > 4
        go_on.set()
        with anyio.fail_after(20):
            while frames.frames[-1]["seq"] < tape.frames[-1]["seq"]:
                await anyio.sleep(0.005)
    seqs = [frame["seq"] for frame in frames.frames]
    told = {frame["seq"] for frame in snapshots(frames.frames)}
    assert all(later == earlier + 1 or later in told for earlier, later in pairwise(seqs))
