"""A small installation for the runtime's tests: real Redis, real queue, graphs made for the test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import orjson
from langgraph.graph import StateGraph
from redis.asyncio import Redis

from runtime.checkpoints import RedisSaver
from runtime.commands import Commands
from runtime.context import Context, User
from runtime.events import EventLog
from runtime.execution import Graph
from runtime.hub import Hub, open_hub
from runtime.passage import Passage
from runtime.queue import RunQueue, hand_over
from runtime.redis import connect
from runtime.runs import Runs
from runtime.scripted import ScriptedModel
from runtime.session import Session, open_session
from runtime.threads import Threads
from runtime.worker import Limits, Worker, serve_queue

ANA = User("acme", "ana", frozenset({"rep"}))
BO = User("acme", "bo", frozenset({"rep"}))
ALL = ["values", "updates", "messages", "tools", "lifecycle", "input", "checkpoints", "custom"]

Builder = Callable[[], StateGraph[Any, Any, Any, Any]]


@dataclass
class Received:
    """What a socket was sent."""

    frames: list[dict[str, Any]] = field(default_factory=list)

    async def send(self, text: str) -> None:
        self.frames.append(orjson.loads(text))

    async def until(self, event: str, *, count: int = 1, timeout_s: float = 20) -> None:
        """Waits for the `count`-th root lifecycle event of this name."""
        with anyio.fail_after(timeout_s):
            while self.lifecycle().count(event) < count:
                await anyio.sleep(0.005)

    def lifecycle(self) -> list[str]:
        return [
            f["params"]["data"]["event"]
            for f in self.frames
            if f["method"] == "lifecycle" and not f["params"]["namespace"]
        ]

    def data(self, method: str) -> list[Any]:
        return [f["params"]["data"] for f in self.frames if f["method"] == method]

    def text(self) -> str:
        return "".join(
            d["delta"]["text"] for d in self.data("messages") if d["event"] == "content-block-delta"
        )


@dataclass
class Place:
    client: Redis
    waiting: Redis
    events: EventLog
    runs: Runs
    threads: Threads
    hub: Hub
    queue: RunQueue
    graphs: Mapping[str, Graph]
    saver: RedisSaver
    commands: Commands
    limits: Limits

    @asynccontextmanager
    async def worker(self, name: str = "w:1", **limits: Any) -> AsyncIterator[Worker]:
        chosen = Limits(**{**vars(self.limits), **limits})
        worker = Worker(name, self.runs, self.events, self.queue, self.graphs, context_for, chosen)
        async with serve_queue(worker, self.queue, self.waiting, chosen):
            yield worker

    @asynccontextmanager
    async def socket(self, thread: str, user: User = ANA, **params: Any) -> AsyncIterator[Received]:
        """A subscribed socket."""
        received = Received()
        async with self.session(thread, user, received) as session:
            await session.subscribe({"channels": ALL, **params})
            yield received

    @asynccontextmanager
    async def session(self, thread: str, user: User, received: Received) -> AsyncIterator[Session]:
        async with open_session(user, thread, self.events, self.hub, self.threads, received.send) as session:
            yield session

    async def start(self, thread: str, text: str = "go", user: User = ANA, **params: Any) -> str:
        payload = {"messages": [{"role": "user", "content": text}]}
        started = await self.commands.start(user, thread, {"assistant_id": "g", "input": payload, **params})
        return started.run_id


async def _nothing(query: str, *, limit: int = 5) -> list[Passage]:
    return []


def context_for(user: User) -> Context:
    return Context(user, ScriptedModel, _nothing)


@asynccontextmanager
async def open_place(url: str, build: Builder, **settings: Any) -> AsyncIterator[Place]:
    """Everything but workers, on the Redis at `url`, which it empties first."""
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(connect(url))
        waiting = await stack.enter_async_context(connect(url, timeout_s=None, connections=64))
        await client.flushall()
        events = EventLog(client, settings.get("kept", 10_000))
        runs, threads, queue = Runs(client, events), Threads(client), RunQueue(waiting)
        saver = RedisSaver(client)
        graphs = {"g": build().compile(checkpointer=saver, name="g")}
        limits = Limits(concurrency=4, heartbeat_s=1, run_timeout_s=20, attempts=3, recursion=25)

        async def enqueue(thread: str, run_id: str) -> None:
            await hand_over(queue, thread, run_id, limits.heartbeat_s)
            await runs.handed_over(thread)

        yield Place(
            client=client,
            waiting=waiting,
            events=events,
            runs=runs,
            threads=threads,
            hub=await stack.enter_async_context(open_hub(waiting)),
            queue=queue,
            graphs=graphs,
            saver=saver,
            commands=Commands(runs, threads, graphs, enqueue, max_message_chars=500),
            limits=limits,
        )
