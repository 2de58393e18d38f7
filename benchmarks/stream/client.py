"""A client process: plays turns through the stock SDK, several clients at once, and says what it saw.

    python -m benchmarks.stream.client CLIENTS TURNS [URL]

Without a URL it runs the graph itself: the floor. It plays one turn to warm up, says `ready`, waits for a
line, plays, and says what it saw as JSON.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any, cast
from uuid import uuid4

import anyio
from langchain_core._api import LangChainBetaWarning
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

from benchmarks.stream.figures import Turn
from benchmarks.stream.project.graph import build

warnings.filterwarnings("ignore", "The v3 streaming protocol", LangChainBetaWarning)

TOKENS = 200
ASSISTANT = "stream"
_CHANNELS = ["messages", "lifecycle"]
_TURN_TIMEOUT_S = 120.0

Play = Callable[[], Awaitable[Turn]]


class WrongAnswer(Exception):
    """A turn without its tokens, whose times would mean nothing."""


@asynccontextmanager
async def through_sdk(url: str) -> AsyncIterator[Play]:
    """Each turn on a new thread, over WebSocket."""
    async with get_client(url=url, timeout=_TURN_TIMEOUT_S) as client:

        async def play() -> Turn:
            return await play_turn(client, TOKENS)

        yield play


async def play_turn(client: LangGraphClient, tokens: int, thread_id: str | None = None) -> Turn:
    """One turn, on a new thread unless one is named. Raises WrongAnswer, and what the SDK raises."""
    watch = Watch()
    stream = client.threads.stream(thread_id, assistant_id=ASSISTANT, transport="websocket")
    async with stream as thread:
        await thread.run.start(input=asking(tokens))
        async with aclosing(cast("Any", thread.subscribe(_CHANNELS))) as events:
            async for event in events:
                if watch.sees(event):
                    break
        return watch.turn(tokens)


@asynccontextmanager
async def in_process() -> AsyncIterator[Play]:
    """The same turns without server, queue, Redis and client."""
    graph = build().compile(checkpointer=InMemorySaver())

    async def play() -> Turn:
        watch = Watch()
        config: RunnableConfig = {"configurable": {"thread_id": str(uuid4())}}
        run = await graph.astream_events(asking(TOKENS), config, version="v3")
        async with run as stream:
            async for event in stream:
                watch.sees(_as_sent(event))
        return watch.turn(TOKENS)

    yield play


def _as_sent(event: Any) -> Any:
    """Core gives a message's part with its metadata, of which servers send the part alone."""
    if event["method"] != "messages":
        return event
    return {**event, "params": {**event["params"], "data": event["params"]["data"][0]}}


def asking(tokens: int) -> dict[str, Any]:
    """The input whose answer has so many tokens."""
    return {"messages": [{"role": "user", "content": str(tokens)}]}


class Watch:
    """Times the events of one turn."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._first = 0.0
        self._tokens = self._events = 0

    def sees(self, event: Any) -> bool:
        """Whether it is the run's last one."""
        self._events += 1
        data = event["params"]["data"]
        if event["method"] == "messages" and data["event"] == "content-block-delta":
            self._first = self._first or time.perf_counter()
            self._tokens += 1
        ended = event["method"] == "lifecycle" and not event["params"].get("namespace")
        return ended and data["event"] in ("completed", "failed", "interrupted")

    def turn(self, tokens: int) -> Turn:
        """Raises WrongAnswer."""
        if self._tokens != tokens:
            raise WrongAnswer(f"a turn brought {self._tokens} tokens instead of {tokens}")
        ended = time.perf_counter()
        first_ms, turn_ms = ((at - self._began) * 1e3 for at in (self._first, ended))
        return Turn(first_ms, turn_ms, self._tokens, self._events)


async def run(clients: int, turns: int, url: str) -> None:
    async with through_sdk(url) if url else in_process() as play:
        await _in_time(play)
        print("ready", flush=True)
        await anyio.to_thread.run_sync(sys.stdin.readline)
        seen: list[Turn] = []

        async def several() -> None:
            for _ in range(turns):
                seen.append(await _in_time(play))

        began, cpu = time.monotonic(), time.process_time()
        async with anyio.create_task_group() as tasks:
            for _ in range(clients):
                tasks.start_soon(several)
        cpu = time.process_time() - cpu
        print(json.dumps({"began": began, "ended": time.monotonic(), "cpu_s": cpu, "turns": seen}))


async def _in_time(play: Play) -> Turn:
    with anyio.fail_after(_TURN_TIMEOUT_S):
        return await play()


if __name__ == "__main__":
    anyio.run(run, int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "")
