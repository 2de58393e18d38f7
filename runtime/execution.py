"""One execution of a run: the graph's events into the log, and the outcome that settles it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import anyio
from langchain_core._api import LangChainBetaWarning
from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphDrained

from runtime.errors import AppError, RunCancelled, RunReplaced, RunRolledBack, RunTimeout, TokenLimit
from runtime.events import Event, EventLog
from runtime.failure import as_error, log_unforeseen
from runtime.graph import Graph
from runtime.run_events import failure_event, lifecycle_event
from runtime.run_input import begin
from runtime.run_record import Claim, Status
from runtime.run_threads import RunThreads
from runtime.stopping import Stop
from runtime.takeover import take_over
from runtime.tenant_store import TenantStore
from runtime.usage import Usage
from runtime.wire import TRANSFORMERS, Translator
from runtime.writer import Writer

# v3 is the protocol that we chose to speak, beta or not: docs/decisions/0001-protocol.md.
warnings.filterwarnings("ignore", "The v3 streaming protocol", LangChainBetaWarning)


@dataclass(frozen=True)
class RunLimits:
    """What one run may take."""

    run_timeout_s: float
    step_timeout_s: float
    """For one superstep, unless the graph has its own."""
    stop_grace_s: float
    """How long a stopped run's nodes, and then its threads, are waited for."""
    recursion: int
    """Supersteps, where neither the client nor the graph says how many."""
    recursion_max: int
    """The most that they may say."""
    tokens: int | None
    """Input and output of all models together, as they report it; None: any number."""
    long: Mapping[str, float] = field(default_factory=dict)
    """Seconds for a whole run of certain graphs, and for each of its supersteps, by the graph's name."""

    def run_s(self, graph: str) -> float:
        """For a whole run of the graph."""
        return self.long.get(graph, self.run_timeout_s)

    def step_s(self, graph: str) -> float:
        """For one superstep of the graph, unless it has its own."""
        return self.long.get(graph, self.step_timeout_s)


class Outcome(NamedTuple):
    status: Status
    events: list[Event]
    """The run's last events, logged by the script that settles it."""
    error: AppError | None = None
    usage: Mapping[str, Any] = {}
    asked: Mapping[str, Sequence[str] | None] = {}
    """Namespaces of its interrupts by id; None where it is not known."""
    drained: bool = False
    """It stopped at a checkpoint, for another worker to go on from."""


@dataclass(frozen=True)
class Execution:
    """One claim's try at a run."""

    graph: Graph
    claim: Claim
    context: Any
    """LangGraph's runtime context: ours, or what the client gave for a graph with a schema of its own."""
    log: EventLog
    stop: Stop
    limits: RunLimits
    threads: RunThreads
    ours: bool
    """Whether the graph is one of our own: an unforeseen exception's text is then kept from clients."""
    usage: Usage = field(default_factory=Usage)

    async def run(self) -> Outcome:
        """Runs the graph to its end, to an interrupt, or until it is stopped; nothing of it works then.

        Raises StaleFence (within an ExceptionGroup) as soon as another worker has claimed the run.
        """
        claim = self.claim
        translator = Translator(f"{claim.run_id}.{claim.fence}")
        async with Writer(self.log, claim) as writer, anyio.create_task_group() as tasks:
            tasks.start_soon(writer.drain)
            failure = await self._try(translator, writer)
            if isinstance(failure, GraphDrained):
                outcome = Outcome("running", [], drained=True)
            elif failure is not None:
                outcome = await self._failed(as_error(failure, hide=self.ours), translator, writer)
            else:
                await writer.write(translator.finish())
                outcome = await self._ended(translator)
            writer.close()
        return outcome._replace(usage=self.usage.by_model)

    async def _try(self, translator: Translator, writer: Writer) -> Exception | None:
        try:
            payload, config, checkpoint_id, paused = await begin(
                self.graph, self.claim, self.limits.recursion, self.limits.recursion_max
            )
            if self.claim.number > 1:
                await writer.write(await take_over(self.log, self.claim, translator, checkpoint_id))
            config["configurable"]["__stopped"] = lambda: self.stop.stopped
            if not paused:
                work = self._stream(payload, config, translator, writer)
                await self.stop.carry(work, self.limits.stop_grace_s)
        except Exception as exc:  # The one broad catch: whatever a graph raises becomes its run's outcome.
            log_unforeseen(exc)
            return exc
        return self.stop.error if self.stop.stopped else None

    async def _stream(
        self, payload: Any, config: RunnableConfig, translator: Translator, writer: Writer
    ) -> None:
        request = self.claim.request
        run = await self._prepared().astream_events(
            payload,
            {**config, "callbacks": [self.usage]},
            version="v3",
            transformers=_transformers(self.graph),
            context=self.context,
            durability="sync",
            interrupt_before=request.interrupt_before or None,
            interrupt_after=request.interrupt_after or None,
            control=self.stop.control,
        )
        async with run as stream:
            async for event in stream:
                await writer.write(translator.feed(event))
                if event["method"] in ("values", "updates"):
                    self._check_tokens()

    def _prepared(self) -> Graph:
        """With the time limit of a step, and for a graph that knows nothing of tenants its tenant's store."""
        update: dict[str, Any] = {}
        if self.graph.step_timeout is None:
            update["step_timeout"] = self.limits.step_s(self.claim.request.graph)
        if not self.ours and self.graph.store is not None:
            update["store"] = TenantStore(self.graph.store, self.claim.run.user.tenant)
        return self.graph.copy(update=update)

    def _check_tokens(self) -> None:
        limit = self.limits.tokens
        used = self.usage.tokens
        if limit is not None and used > limit:
            raise TokenLimit(f"the run's models used {used} tokens; at most {limit} are allowed", limit=limit)

    async def _ended(self, translator: Translator) -> Outcome:
        claim, request = self.claim, self.claim.request
        asked = bool(translator.interrupts)
        if not asked and _has_breakpoints(self.graph, claim):
            state = await self.graph.aget_state({"configurable": {"thread_id": claim.thread}})
            asked = bool(state.next)
        last = lifecycle_event(claim.run_id, "interrupted" if asked else "completed", request.graph)
        events = [*translator.input_requested(claim.run_id), last]
        namespaces = {key: namespace for key, (namespace, _) in translator.interrupts.items()}
        return Outcome("interrupted" if asked else "success", events, asked=namespaces)

    async def _failed(self, error: AppError, translator: Translator, writer: Writer) -> Outcome:
        claim = self.claim
        still = await self.threads.idle(claim.run_id, self.limits.stop_grace_s)
        partial_text = translator.partial_text
        await writer.write(translator.finish("the run ended before it"))
        status = _status(error)
        state = await self.graph.aget_state({"configurable": {"thread_id": claim.thread}})
        checkpoint_id = state.config["configurable"].get("checkpoint_id")
        settled = {
            "status": status,
            "partial_text": partial_text,
            "checkpoint": {"id": checkpoint_id} if checkpoint_id else None,
            "still_working": self.stop.hangs or not still,
        }
        # A question whose answer was cancelled is open again.
        asked = dict.fromkeys(question.id for question in state.interrupts)
        return Outcome(status, _last_words(claim, error, settled), error, asked=asked)


def _last_words(claim: Claim, error: AppError, settled: Mapping[str, Any]) -> list[Event]:
    """A run that a newer one replaced is only interrupted: its client's iterators go on with that one."""
    graph = claim.request.graph
    if isinstance(error, RunRolledBack):
        return []
    if isinstance(error, RunReplaced):
        return [lifecycle_event(claim.run_id, "interrupted", graph, replaced=True, settled=settled)]
    return [failure_event(claim.run_id, graph, error, settled=settled)]


def _status(error: AppError) -> Status:
    if isinstance(error, RunCancelled):
        return "interrupted"
    return "timeout" if isinstance(error, RunTimeout) else "error"


def _has_breakpoints(graph: Graph, claim: Claim) -> bool:
    request = claim.request
    return bool(
        request.interrupt_before
        or request.interrupt_after
        or graph.interrupt_before_nodes
        or graph.interrupt_after_nodes
    )


def _transformers(graph: Graph) -> list[Any]:
    """Without those the graph was compiled with: LangGraph refuses a second one of a kind."""
    compiled = {getattr(factory, "__name__", "") for factory in graph.stream_transformers or ()}
    return [factory for factory in TRANSFORMERS if factory.__name__ not in compiled]
