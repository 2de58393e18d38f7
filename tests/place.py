"""A small installation for the runtime's tests: real Redis, real queue, graphs made for the test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import anyio
import orjson
from langgraph.graph import START, MessagesState, StateGraph
from redis.asyncio import Redis

from runtime.assistants import Assistants
from runtime.catalog import Catalog
from runtime.checkpoints import RedisSaver
from runtime.commands import Commands
from runtime.context import Context, User
from runtime.crons import Crons
from runtime.engine import Engine
from runtime.events import EventLog, Logged
from runtime.execution import RunLimits
from runtime.graph import Graph
from runtime.hub import Hub, open_hub
from runtime.narrowing import ANYTHING, Filters
from runtime.passage import Passage
from runtime.queue import RunQueue
from runtime.redis import connect
from runtime.run_request import RunParams
from runtime.runs import Runs
from runtime.scripted import ScriptedModel
from runtime.session import Session, open_session
from runtime.store import RedisStore
from runtime.thread_removal import ThreadRemoval
from runtime.thread_state import ThreadState
from runtime.threads import Threads
from runtime.validation import parse_object
from runtime.worker import Worker
from runtime.working import serve_queue

ANA = User("acme", "ana", frozenset({"rep"}))
BO = User("acme", "bo", frozenset({"rep"}))
ALL = ["values", "updates", "messages", "tools", "lifecycle", "input", "checkpoints", "tasks", "custom"]

Builder = Callable[[], StateGraph[Any, Any, Any, Any]]


@dataclass
class Received:
    """What a socket was sent."""

    frames: list[dict[str, Any]] = field(default_factory=list)

    async def send(self, logged: Logged) -> None:
        self.frames.append(orjson.loads(logged.event.wire(logged.seq)))

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
    engine: Engine
    graphs: Mapping[str, Graph]
    """As compiled; the worker opens them through the catalog."""

    @property
    def events(self) -> EventLog:
        return self.engine.events

    @property
    def runs(self) -> Runs:
        return self.engine.runs

    @property
    def threads(self) -> Threads:
        return self.engine.threads

    @property
    def hub(self) -> Hub:
        return self.engine.hub

    @property
    def saver(self) -> RedisSaver:
        return self.engine.saver

    @property
    def commands(self) -> Commands:
        return self.engine.commands

    @asynccontextmanager
    async def worker(
        self,
        name: str = "w:1",
        *,
        concurrency: int = 4,
        heartbeat_s: float = 1,
        attempts: int = 3,
        grace_s: float = 0,
        **limits: Any,
    ) -> AsyncIterator[Worker]:
        """A worker with a queue of its own, as in a process of its own."""
        engine = self.engine
        queue = RunQueue(self.waiting, heartbeat_s)
        worker = Worker(
            name,
            engine.runs,
            engine.removal,
            engine.events,
            queue,
            engine.catalog,
            context_for,
            replace(LIMITS, **limits),
            heartbeat_s=heartbeat_s,
            attempts=attempts,
        )
        async with serve_queue(
            worker,
            queue,
            self.waiting,
            engine.crons,
            concurrency=concurrency,
            heartbeat_s=heartbeat_s,
            grace_s=grace_s,
        ):
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
        async with open_session(user, thread, self.engine, received.send) as session:
            yield session

    async def start(self, thread: str, text: str = "go", user: User = ANA, **params: Any) -> str:
        payload = {"messages": [{"role": "user", "content": text}]}
        given = {"assistant_id": "g", "input": payload, **params}
        return (await self.commands.start(user, thread, parse_object(RunParams, given))).run_id


async def _echo(state: MessagesState) -> dict[str, Any]:
    return {"messages": [("ai", state["messages"][-1].text)]}


def echo() -> StateGraph[Any, Any, Any, Any]:
    """A graph that says again what it was told."""
    graph = StateGraph(MessagesState, context_schema=Context)
    graph.add_node("echo", _echo)
    graph.add_edge(START, "echo")
    return graph


LIMITS = RunLimits(
    run_timeout_s=20, step_timeout_s=20, stop_grace_s=2, recursion=25, recursion_max=50, tokens=None
)


async def _nothing(query: str, *, limit: int = 5, filters: Filters = ANYTHING) -> list[Passage]:
    return []


def context_for(user: User) -> Context:
    return Context(user, ScriptedModel, _nothing)


async def _never(user: User, thread_id: str | None, payload: Mapping[str, Any]) -> str:
    raise AssertionError("no cron is due in these tests")


@asynccontextmanager
async def open_place(url: str, build: Builder, **settings: Any) -> AsyncIterator[Place]:
    """Everything but workers, on the Redis at `url`, which it empties first."""
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(connect(url))
        waiting = await stack.enter_async_context(connect(url, timeout_s=None, connections=64))
        await client.flushall()
        events = EventLog(client, settings.get("kept", 10_000), settings.get("age_s", 3600))
        queue = RunQueue(waiting, 1)
        runs, threads, saver, store = (
            Runs(client, events, queue),
            Threads(client),
            RedisSaver(client),
            RedisStore(client),
        )
        catalog = Catalog({"g": build()}, saver, store)
        assistants, state = Assistants(client, catalog.names), ThreadState(threads, catalog)
        engine = Engine(
            catalog=catalog,
            assistants=assistants,
            threads=threads,
            state=state,
            removal=ThreadRemoval(client, saver),
            runs=runs,
            commands=Commands(runs, threads, catalog, assistants, state, events, max_message_chars=500),
            crons=Crons(client, queue, _never),
            events=events,
            hub=await stack.enter_async_context(open_hub(waiting, events)),
            saver=saver,
            store=store,
        )
        async with catalog.open("g", "threads.read", ANA) as graph:
            yield Place(client, waiting, engine, {"g": graph})
