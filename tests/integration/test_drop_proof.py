"""The stream: cut after any frame, taken up again anywhere, and always whole."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from itertools import count

import anyio
import pytest

from runtime.embedded_redis import embedded_redis
from tests.proofs.processes import open_members
from tests.proofs.reader import Reader, alike, command, start

pytestmark = pytest.mark.anyio

AT_ONCE = 12
"""Runs that are cut at the same time."""


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """The module's, for the sake of `urls`."""
    return "asyncio"


@pytest.fixture(scope="module")
async def urls(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[list[str]]:
    """Two servers and a worker, for both tests: processes take seconds to start."""
    folder = tmp_path_factory.mktemp("drop")
    async with (
        embedded_redis(folder / "redis") as socket,
        open_members(f"unix://{socket}", folder, servers=2, workers=1) as (servers, _),
    ):
        yield [server.url for server in servers]


async def play(urls: list[str], reader: Reader, thread: str) -> None:
    """One run of everything, its question answered, as `reader` sees it."""
    await start(urls, thread, "everything")
    await reader.until("interrupted")
    (asked,) = reader.data_frames("input.requested")
    answer = {"interrupt_id": asked["params"]["data"]["interrupt_id"], "response": "yes"}
    await command(urls, thread, "input.respond", answer)
    await reader.until("completed")


def check_whole(frames: list[dict[str, object]]) -> None:
    assert [f["seq"] for f in frames] == list(range(1, len(frames) + 1))
    assert {str(f["method"]) for f in frames} >= {
        "messages",
        "tools",
        "input.requested",
        "lifecycle",
        "values",
    }
    assert len({str(f["event_id"]) for f in frames}) == len(frames)


async def test_cut_after_every_frame_the_transcript_is_whole(urls: list[str]) -> None:
    """One run, followed by five clients: uncut, cut after each frame, between two servers, over SSE."""
    whole = Reader(urls[:1], "t")
    always = {"cut_after": lambda count: True}
    cut, switched, sse, sse_switched = (
        Reader(urls[:1], "t"),
        Reader(urls, "t"),
        Reader(urls[1:], "t"),
        Reader(urls, "t"),
    )
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(whole.by_socket)
        for follow in (cut.by_socket, switched.by_socket, sse.by_sse, sse_switched.by_sse):
            tasks.start_soon(partial(follow, **always))
        await play(urls, whole, "t")
        for reader in (cut, switched, sse, sse_switched):
            await reader.until("completed")
        tasks.cancel_scope.cancel()
    check_whole(whole.frames)
    for reader in (cut, switched, sse, sse_switched):
        assert reader.transcript() == whole.transcript()
        assert reader.cuts >= len(whole.frames) - 1


async def test_a_run_for_every_frame_after_which_it_is_cut(urls: list[str]) -> None:
    """As many runs as one has frames, each cut once at another place and gone on with at the other server."""
    whole = Reader(urls[:1], "whole")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(whole.by_socket)
        await play(urls, whole, "whole")
        tasks.cancel_scope.cancel()
    places = count(1)
    same = alike(whole.frames)

    async def cut_runs() -> None:
        while (place := next(places)) < len(whole.frames):
            frames = await _cut_run(urls, place)
            check_whole(frames)
            assert alike(frames) == same, f"cut after frame {place}"

    async with anyio.create_task_group() as tasks:
        for _ in range(AT_ONCE):
            tasks.start_soon(cut_runs)


async def _cut_run(urls: list[str], place: int) -> list[dict[str, object]]:
    thread = f"cut-{place}"
    reader = Reader(urls, thread)
    here: Callable[[int], bool] = lambda count: count == place  # noqa: E731
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(partial(reader.by_socket, cut_after=here))
        await play(urls, reader, thread)
        tasks.cancel_scope.cancel()
    assert reader.cuts == 1
    return reader.frames
