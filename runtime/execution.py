"""One execution of a run: the graph's events into the log, and the outcome that settles it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream
from langchain_core._api import LangChainBetaWarning
from langchain_core.runnables import RunnableConfig
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command

from runtime.context import Context
from runtime.errors import AppError, RunTimeout
from runtime.events import Event, EventLog, Logged
from runtime.run_record import Status
from runtime.runs import Claim, lifecycle_event
from runtime.wire import TRANSFORMERS, Translator

# v3 is the protocol that we chose to speak, beta or not: docs/decisions/0001-protocol.md.
warnings.filterwarnings("ignore", "The v3 streaming protocol", LangChainBetaWarning)

_QUEUE = 256
"""Events between graph and log; a slow log slows the graph down instead of filling memory."""

Graph = CompiledStateGraph[Any, Context, Any, Any]


class Outcome(NamedTuple):
    status: Status
    events: list[Event]
    """The run's last events, logged by the script that settles it."""


class Writer:
    """Appends a run's events in batches as they come, under the claim's fence."""

    def __init__(self, log: EventLog, claim: Claim) -> None:
        self._log = log
        self._claim = claim
        self._batch = 0
        self._send, self._receive = anyio.create_memory_object_stream[list[Event]](_QUEUE)

    async def __aenter__(self) -> Writer:
        return self

    async def __aexit__(self, *failure: object) -> None:
        self._send.close()
        self._receive.close()

    async def write(self, events: list[Event]) -> None:
        if events:
            await self._send.send(events)

    def close(self) -> None:
        """What was written so far still goes out; `drain` then ends."""
        self._send.close()

    async def drain(self) -> None:
        """Raises StaleFence when another worker has claimed the run."""
        async for first in self._receive:
            events = [*first, *_ready(self._receive)]
            self._batch += 1
            await self._log.append(self._claim.thread, self._claim.fence, self._batch, events)


def _ready(stream: MemoryObjectReceiveStream[list[Event]]) -> list[Event]:
    events: list[Event] = []
    while stream.statistics().current_buffer_used:
        events += stream.receive_nowait()
    return events


class Stop:
    """The way to stop an execution from outside: by time, or by `request`."""

    def __init__(self, timeout_s: float) -> None:
        self.scope = anyio.CancelScope(deadline=anyio.current_time() + timeout_s)
        self.error: AppError = RunTimeout(f"the run took longer than {timeout_s:g} s", limit_s=timeout_s)

    def request(self, error: AppError) -> None:
        """The run ends with `error` as soon as its nodes let go."""
        self.error = error
        self.scope.cancel()


async def execute(
    graph: Graph, claim: Claim, context: Context, log: EventLog, stop: Stop, recursion_limit: int
) -> Outcome:
    """Runs the graph to its end or to an interrupt.

    What the graph raised, or `stop.error`, comes out once the events before it are in the log; StaleFence
    (within an ExceptionGroup) as soon as another worker has claimed the run.
    """
    translator = Translator(f"{claim.run_id}.{claim.fence}")
    writer = Writer(log, claim)
    failure: Exception | None = None
    async with writer, anyio.create_task_group() as tasks:
        tasks.start_soon(writer.drain)
        if claim.number > 1:
            await writer.write(await _close_open_messages(log, claim, translator))
        try:
            with stop.scope:
                payload, config = await _begin(graph, claim, recursion_limit)
                await _stream(graph, payload, config, context, translator, writer)
        except Exception as exc:  # Held only until the events before it are in the log, then raised.
            failure = exc
        if stop.scope.cancelled_caught:
            failure = stop.error
        await writer.write(translator.finish(failure="the run ended before the message" if failure else ""))
        writer.close()
    if failure is not None:
        raise failure
    return _outcome(claim, translator)


async def _begin(graph: Graph, claim: Claim, recursion_limit: int) -> tuple[Any, RunnableConfig]:
    """The graph's input and config.

    When a lost worker has brought the input into a checkpoint already, the input is None, which means go on,
    from the thread's last checkpoint.
    """
    config = run_config(claim, recursion_limit)
    if claim.number > 1:
        state = await graph.aget_state({"configurable": {"thread_id": claim.thread}})
        if state.metadata and state.metadata.get("run_id") == claim.run_id:
            return None, config
    if claim.run.checkpoint_id:
        config["configurable"]["checkpoint_id"] = claim.run.checkpoint_id
    resumed = claim.run.kind == "resume"
    return (Command(resume=claim.run.payload) if resumed else claim.run.payload), config


def run_config(claim: Claim, recursion_limit: int) -> RunnableConfig:
    """What LangGraph and the saver need to know; keys with `__` stay out of the checkpoints' metadata."""
    place: dict[str, Any] = {"thread_id": claim.thread, "__fence": claim.fence}
    about = {**claim.run.metadata, "run_id": claim.run_id, "assistant_id": claim.run.assistant}
    return {"configurable": place, "metadata": about, "recursion_limit": recursion_limit}


async def _stream(
    graph: Graph,
    payload: Any,
    config: RunnableConfig,
    context: Context,
    translator: Translator,
    writer: Writer,
) -> None:
    run = await graph.astream_events(
        payload,
        config,
        version="v3",
        transformers=_transformers(graph),
        context=context,
        durability="sync",
    )
    async with run as stream:
        async for event in stream:
            await writer.write(translator.feed(event))


def _transformers(graph: Graph) -> list[Any]:
    """Without those the graph was compiled with: LangGraph refuses a second one of a kind."""
    compiled = {getattr(factory, "__name__", "") for factory in graph.stream_transformers or ()}
    return [factory for factory in TRANSFORMERS if factory.__name__ not in compiled]


def _outcome(claim: Claim, translator: Translator) -> Outcome:
    asked = bool(translator.interrupts)
    last = lifecycle_event(claim.run_id, "interrupted" if asked else "completed", claim.run.assistant)
    events = [*translator.input_requested(claim.run_id), last]
    return Outcome("interrupted" if asked else "success", events)


async def _close_open_messages(log: EventLog, claim: Claim, translator: Translator) -> list[Event]:
    """Ends the messages that the lost worker left half said: their node says them again from the start."""
    mine = await _logged_by(log, claim)
    return [
        translator.make(
            "messages", {"event": "error", "message": "lost with its worker; it starts again"}, ns
        )
        for ns in _open_namespaces(mine)
    ]


async def _logged_by(log: EventLog, claim: Claim) -> list[Logged]:
    mark, seq, mine = f'"event_id":"{claim.run_id}.', 0, []
    while page := await log.read(claim.thread, seq):
        mine += [logged for logged in page if mark in logged.event.body]
        seq = page[-1].seq
    return mine


def _open_namespaces(events: Sequence[Logged]) -> list[tuple[str, ...]]:
    said = [logged.event for logged in events if logged.event.method == "messages"]
    ended = {event.namespace: _ends_message(event) for event in said}
    return [namespace for namespace, is_ended in ended.items() if not is_ended]


def _ends_message(event: Event) -> bool:
    return '"data":{"event":"message-finish"' in event.body or '"data":{"event":"error"' in event.body
