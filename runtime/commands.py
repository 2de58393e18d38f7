"""The protocol's commands, for the socket and for HTTP alike: a method and its params in, a result out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from uuid_utils import uuid7

from runtime.assistants import Assistants
from runtime.catalog import Catalog
from runtime.context import User
from runtime.errors import (
    InvalidInput,
    NoSuchCheckpoint,
    NoSuchInterrupt,
    NoSuchRun,
    NotFound,
    ThreadBusy,
    UnknownCommand,
)
from runtime.events import EventLog
from runtime.keys import thread_key
from runtime.run_record import RunRequest
from runtime.run_request import RunParams, check_messages
from runtime.runs import CancelAction, Runs, Started
from runtime.state_commands import StateCommands
from runtime.thread_state import ThreadState
from runtime.threads import ThreadRow, Threads
from runtime.validation import parse_object

Params = dict[str, Any]


class Commands:
    """Starts, answers and cancels runs. Every path of every transport ends here."""

    def __init__(
        self,
        runs: Runs,
        threads: Threads,
        catalog: Catalog,
        assistants: Assistants,
        state: ThreadState,
        events: EventLog,
        max_message_chars: int,
    ) -> None:
        self._runs = runs
        self._threads = threads
        self._catalog = catalog
        self._assistants = assistants
        self._events = events
        self._max_message_chars = max_message_chars
        self._state = state
        reads = StateCommands(threads, state, events)
        self._methods: Mapping[str, Callable[[User, str, Params], Awaitable[Params | Started]]] = {
            "run.start": self._run_start,
            "run.cancel": self._run_cancel,
            "input.respond": self.respond,
            "input.inject": self.inject,
            "state.get": reads.get,
            "state.listCheckpoints": reads.list_checkpoints,
            "state.fork": self.fork,
            "agent.getTree": reads.tree,
        }

    async def run(self, user: User, thread_id: str, method: str, params: Params) -> tuple[Params, int]:
        """The command's result and `applied_through_seq`: the thread's last seq before it took effect.

        Raises what the command says, and UnknownCommand.
        """
        if method not in self._methods:
            raise UnknownCommand(f"unknown command {method!r}; known: {sorted(self._methods)}")
        result = await self._methods[method](user, thread_id, params)
        if isinstance(result, Started):
            return {"run_id": result.run_id}, result.seq_before
        return result, await self._events.last_seq(thread_key(user.tenant, thread_id))

    async def _run_start(self, user: User, thread_id: str, params: Params) -> Started:
        return await self.start(user, thread_id, parse_object(RunParams, params))

    async def start(self, user: User, thread_id: str, params: RunParams, *, forget: bool = False) -> Started:
        """Starts a run. Raises InvalidInput (assistant, checkpoint), PermissionDenied and ThreadBusy."""
        if not params.assistant_id:
            raise InvalidInput("assistant_id is required")
        assistant = await self._assistants.resolve(user, params.assistant_id)
        request = params.request(assistant, max_message_chars=self._max_message_chars, forget=forget)
        if request.kind == "input" and not self._catalog.takes(request.graph, request.payload):
            request = await self._as_answer(user, thread_id, request)
        if request.checkpoint_id:
            await self._check_checkpoint(user, thread_id, request)
        return await self._runs.start(
            thread_key(user.tenant, thread_id), user, request, idempotency_key=params.idempotency_key
        )

    async def start_stateless(
        self, user: User, params: RunParams, *, keep: bool = False
    ) -> tuple[str, Started]:
        """Starts a run on a thread of its own, which goes a minute after the run's end unless `keep`; its id.

        With an idempotency key the thread is the same each time.
        """
        key = params.idempotency_key
        thread_id = str(uuid5(NAMESPACE_URL, f"{user.subject}\x00{key}") if key else uuid7())
        return thread_id, await self.start(user, thread_id, params, forget=not keep)

    async def start_scheduled(self, user: User, thread_id: str | None, payload: Mapping[str, Any]) -> str:
        """Starts what a cron asks for, without a thread on one of its own; the run's id."""
        params = parse_object(RunParams, payload)
        if thread_id is not None:
            return (await self.start(user, thread_id, params)).run_id
        keep = payload.get("on_completion") == "keep"
        return (await self.start_stateless(user, params, keep=keep))[1].run_id

    async def fork(self, user: User, thread_id: str, params: Params) -> Params:
        """Runs from an earlier checkpoint of the thread, with an input or by going on from there."""
        checkpoint_id = params.get("checkpoint_id")
        if not isinstance(checkpoint_id, str) or not checkpoint_id:
            raise InvalidInput("checkpoint_id is required")
        row = await self._threads.own(user, thread_id)
        if not row.graph:
            raise NoSuchRun("nothing ran on this thread")
        wanted: Params = {
            k: params[k] for k in ("input", "config", "metadata", "multitask_strategy") if k in params
        }
        full: Params = {"assistant_id": row.graph, "checkpoint_id": checkpoint_id, **wanted}
        try:
            started = await self._run_start(user, thread_id, full)
        except InvalidInput as exc:
            if exc.details.get("checkpoint_id"):
                raise NoSuchCheckpoint(str(exc)) from exc
            raise
        return {"run_id": started.run_id, "thread_id": thread_id}

    async def inject(self, user: User, thread_id: str, params: Params) -> Params:
        """Adds a message: to the state of a thread at rest, as the next input of one that works."""
        message = params.get("message")
        if not isinstance(message, dict) or not isinstance(message.get("content"), str):
            raise InvalidInput("message is required: an object with role and content")
        if message.get("role") not in ("user", "system"):
            raise InvalidInput(f"message.role must be user or system, not {message.get('role')!r:.40}")
        if params.get("namespace"):
            raise InvalidInput("namespace must be []: messages are injected into the root graph only")
        row = await self._threads.own(user, thread_id)
        if not row.graph:
            raise NoSuchRun("nothing ran on this thread")
        payload = {"messages": [message]}
        check_messages(payload["messages"], payload, self._max_message_chars)
        if row.active:
            started = await self._run_start(user, thread_id, {"assistant_id": row.graph, "input": payload})
            return {"run_id": started.run_id}
        await self._state.update(user, row, payload)
        return {}

    async def respond(self, user: User, thread_id: str, params: Params) -> Started:
        """Answers one interrupt or several. Raises NoSuchInterrupt and NoSuchRun."""
        row = await self._threads.find(user, thread_id)
        if row is None or not row.graph:
            raise NoSuchRun("nothing ran on this thread")
        answers = _answers(params)
        asked = await self._asked(user, row)
        for answer in answers:
            namespace = asked.get(answer.interrupt_id)
            if answer.interrupt_id not in asked or not (
                namespace is None or answer.namespace in ([], namespace)
            ):
                raise NoSuchInterrupt(f"Unknown or already-consumed interrupt: {answer.interrupt_id}")
        command: Params = {
            "resume": {answer.interrupt_id: answer.response for answer in answers},
            **{key: params[key] for key in ("update", "goto") if key in params},
        }
        more: Params = {key: params[key] for key in ("config", "metadata") if key in params}
        full: Params = {"assistant_id": row.graph, "command": command, "multitask_strategy": "reject", **more}
        try:
            return await self._run_start(user, thread_id, full)
        except ThreadBusy as exc:
            raise NoSuchInterrupt(f"Already-consumed interrupt: {answers[0].interrupt_id}") from exc

    async def _asked(self, user: User, row: ThreadRow) -> Mapping[str, list[str] | None]:
        """Namespaces by id of the interrupts that wait; None where the state alone knows of it.

        It still asks when the run that was given the answer was cancelled or failed.
        """
        if row.status == "interrupted" or row.active:
            return {} if row.active else row.asked
        state = await self._state.get(user, row)
        return {waiting.id: None for task in (state.tasks if state else ()) for waiting in task.interrupts}

    async def cancel(
        self, user: User, thread_id: str, run_id: str, action: CancelAction = "interrupt"
    ) -> None:
        """Tells a run to stop; it settles when it has. Raises NotFound: no such run, or it is over."""
        await self._threads.own(user, thread_id)
        if not await self._runs.cancel(thread_key(user.tenant, thread_id), run_id, action):
            raise NotFound("No runs found to cancel.")

    async def _run_cancel(self, user: User, thread_id: str, params: Params) -> Params:
        action = params.get("action", "interrupt")
        if action not in ("interrupt", "rollback"):
            raise InvalidInput(f"action must be interrupt or rollback, not {action!r:.40}")
        row = await self._threads.own(user, thread_id)
        run_id = str(params.get("run_id") or row.active)
        await self.cancel(user, thread_id, run_id, action)
        return {"run_id": run_id, "accepted": True}

    async def _as_answer(self, user: User, thread_id: str, request: RunRequest) -> RunRequest:
        """RemoteGraph sends the answer to an interrupt as input: what is no input of the graph can be no
        other. Raises InvalidInput where no question waits.
        """
        row = await self._threads.find(user, thread_id)
        if row is None or row.status != "interrupted":
            given = type(request.payload).__name__
            known = sorted(request.payload) if isinstance(request.payload, dict) else given
            raise InvalidInput(
                f"input must be an object with keys of the graph's state, or null, not {known}"
            )
        return replace(request, kind="resume")

    async def _check_checkpoint(self, user: User, thread_id: str, request: RunRequest) -> None:
        place = {"thread_id": thread_key(user.tenant, thread_id), "checkpoint_id": request.checkpoint_id}
        async with self._catalog.open(request.graph, "threads.read", user) as graph:
            state = await graph.aget_state({"configurable": place})
        if state.created_at is None:
            raise InvalidInput(
                f"no checkpoint {request.checkpoint_id!r} on this thread", checkpoint_id=request.checkpoint_id
            )


class _Answer(NamedTuple):
    interrupt_id: str
    namespace: list[str]
    response: Any


def _answers(params: Params) -> list[_Answer]:
    several = params.get("responses")
    entries = several if isinstance(several, list) and several else [params]
    answers = []
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("interrupt_id"), str):
            raise InvalidInput("interrupt_id is required")
        if "response" not in entry:
            raise InvalidInput("response is required")
        answers.append(_Answer(entry["interrupt_id"], entry.get("namespace") or [], entry["response"]))
    return answers
