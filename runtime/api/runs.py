"""Runs: started, listed, waited for, cancelled, forgotten."""

from __future__ import annotations

from typing import Any, Literal

import anyio
from pydantic import Field, RootModel

from runtime.api.call import MAX_PAGE, Body, Call, EventStream, Reply, Write
from runtime.api.thread_access import changed_thread, read_thread, thread_id_of, thread_of
from runtime.engine import Engine
from runtime.errors import InvalidInput, NotFound
from runtime.events import encode_json
from runtime.keys import thread_key
from runtime.run_record import RunRecord, run_json
from runtime.run_request import MAX_KEY, RunParams
from runtime.runs import CancelAction
from runtime.state_view import state_json
from runtime.threads import ThreadRow
from runtime.waiting import cancel_if_there, settled

WAIT_S = 3_600
"""The longest that a request may wait for its run; the run's own time-out is shorter, as a rule."""


class RunCreate(RunParams):
    """A run over HTTP; the options of the stream are `RunStream`'s."""

    if_not_exists: Literal["create", "reject"] = "reject"
    on_completion: Literal["delete", "keep"] = "delete"
    on_disconnect: Literal["continue", "cancel"] = "continue"


class RunBatch(RootModel[list[RunCreate]]):
    """A JSON array."""


class RunCancel(Body):
    thread_id: str | None = None
    run_ids: list[str] = Field(default_factory=list, max_length=MAX_PAGE)
    status: Literal["pending", "running", "all"] | None = None


async def create(engine: Engine, call: Call, body: RunCreate) -> Reply:
    """Start a run on a thread, in the background."""
    run_id = await start_on_thread(engine, call, body)
    return await _started(engine, call, thread_id_of(call), run_id)


async def create_stateless(engine: Engine, call: Call, body: RunCreate) -> Reply:
    """Start a run on a thread of its own, in the background."""
    keep = body.on_completion == "keep"
    thread_id, started = await engine.commands.start_stateless(call.user, with_key(call, body), keep=keep)
    return await _started(engine, call, thread_id, started.run_id)


async def create_batch(engine: Engine, call: Call, body: RunBatch) -> list[dict[str, Any]]:
    """Start several runs, each on a thread of its own, in the background."""
    return [(await create_stateless(engine, call, run)).value for run in body.root]


async def wait(engine: Engine, call: Call, body: RunCreate) -> Any:
    """Start a run on a thread and wait for its final values."""
    run_id = await start_on_thread(engine, call, body)
    return _awaited(engine, call, thread_id_of(call), run_id, body)


async def wait_stateless(engine: Engine, call: Call, body: RunCreate) -> Any:
    """Start a run on a thread of its own and wait for its final values."""
    keep = body.on_completion == "keep"
    thread_id, started = await engine.commands.start_stateless(call.user, with_key(call, body), keep=keep)
    return _awaited(engine, call, thread_id, started.run_id, body)


async def newest(engine: Engine, call: Call) -> list[dict[str, Any]]:
    """The thread's runs, the newest first; of one status where it is given."""
    await read_thread(engine, call)
    limit, offset = call.number("limit", 10, least=1), call.number("offset", 0)
    runs = await engine.runs.newest(thread_of(call), limit, offset, call.query.get("status"))
    return [run_json(run, thread_id_of(call)) for run in runs]


async def get(engine: Engine, call: Call) -> dict[str, Any]:
    """A run's record."""
    await read_thread(engine, call)
    return run_json(await _find(engine, call), thread_id_of(call))


async def join(engine: Engine, call: Call) -> Reply:
    """Wait for a run and give its final values."""
    await read_thread(engine, call)
    run = await _find(engine, call)
    return await _outcome(engine, call, thread_id_of(call), run.run_id)


async def cancel(engine: Engine, call: Call) -> Reply:
    """Tell a run to stop (202 at once), or with `wait` answer when it really has (204)."""
    run_id = call.path["run_id"]
    await engine.commands.cancel(call.user, thread_id_of(call), run_id, _action(call))
    if not call.flag("wait"):
        return Reply(status=202)
    await settled(engine, thread_of(call), run_id, within_s=WAIT_S)
    return Reply(status=204)


async def cancel_many(engine: Engine, call: Call, body: RunCancel) -> Reply:
    """Tell several runs to stop: of a thread by id or status, or by status on all of the caller's threads."""
    if not body.thread_id and not body.status:
        raise InvalidInput("thread_id with run_ids, or a status, is required")
    action, count = _action(call), 0
    for row in await _threads_to_cancel(engine, call, body.thread_id):
        thread = thread_key(call.user.tenant, row.thread_id)
        for status in ("pending", "running") if body.status in (None, "all") else (body.status,):
            for run in await engine.runs.newest(thread, MAX_PAGE, status=status):
                if not body.run_ids or run.run_id in body.run_ids:
                    count += await engine.runs.cancel(thread, run.run_id, action)
    if not count:
        raise NotFound("No runs found to cancel.")
    return Reply(status=204)


async def _threads_to_cancel(engine: Engine, call: Call, thread_id: str | None) -> list[ThreadRow]:
    if thread_id:
        return [await engine.threads.own(call.user, thread_id)]
    return [
        row async for row in engine.threads.all(call.user) if row.active and row.owner == call.user.subject
    ]


async def delete(engine: Engine, call: Call) -> Reply:
    """Forget a run that has ended; its checkpoints stay."""
    await changed_thread(engine, call)
    await engine.runs.delete(thread_of(call), call.path["run_id"])
    return Reply(status=204)


async def start_on_thread(engine: Engine, call: Call, body: RunCreate) -> str:
    """The id of the run that was started. Raises NotFound, unless `if_not_exists` is `create`."""
    if body.if_not_exists == "reject":
        await changed_thread(engine, call)
    started = await engine.commands.start(call.user, thread_id_of(call), with_key(call, body))
    return started.run_id


def _action(call: Call) -> CancelAction:
    action = call.query.get("action", "interrupt")
    if action not in ("interrupt", "rollback"):
        raise InvalidInput(f"action must be interrupt or rollback, not {action!r}")
    return "rollback" if action == "rollback" else "interrupt"


def with_key(call: Call, body: RunCreate) -> RunCreate:
    """The body, with the key of the header `Idempotency-Key` where it has none of its own.

    Raises InvalidInput for one that is too long.
    """
    key = body.idempotency_key or call.headers.get("idempotency-key", "")
    if len(key) > MAX_KEY:
        raise InvalidInput(f"Idempotency-Key has {len(key)} characters; at most {MAX_KEY} are allowed")
    return body.model_copy(update={"idempotency_key": key})


async def _started(engine: Engine, call: Call, thread_id: str, run_id: str) -> Reply:
    run = await engine.runs.find(thread_key(call.user.tenant, thread_id), run_id)
    return Reply(run_json(run, thread_id), headers=location(thread_id, run_id))


def location(thread_id: str, run_id: str) -> dict[str, str]:
    """The headers by which SDKs learn the run's id before its answer."""
    place = f"/threads/{thread_id}/runs/{run_id}"
    return {"Location": f"{place}/join", "Content-Location": place}


def _awaited(engine: Engine, call: Call, thread_id: str, run_id: str, body: RunCreate) -> EventStream:
    """The run's outcome as JSON, once there is one; the headers, which name the run, at once."""

    async def run(write: Write) -> None:
        settled_at_all = False
        try:
            outcome = await _outcome(engine, call, thread_id, run_id)
            settled_at_all = True
            await write(encode_json(outcome.value))
        finally:
            if body.on_disconnect == "cancel" and not settled_at_all:
                with anyio.CancelScope(shield=True):
                    await cancel_if_there(engine, thread_key(call.user.tenant, thread_id), run_id)

    return EventStream(run, location(thread_id, run_id), "application/json")


async def _outcome(engine: Engine, call: Call, thread_id: str, run_id: str) -> Reply:
    thread = thread_key(call.user.tenant, thread_id)
    run = await settled(engine, thread, run_id, within_s=WAIT_S)
    headers = location(thread_id, run_id)
    if run is not None and run.status in ("error", "timeout"):
        error = {"error": run.error, "message": run.error_message}
        return Reply({"__error__": error}, headers=headers)
    row = await engine.threads.get(call.user, thread_id)
    state = state_json(await engine.state.get(call.user, row))
    values = state["values"]
    if state["interrupts"]:
        # The output of an @entrypoint may be anything; beside a question only an object has a place.
        values = {**(values if isinstance(values, dict) else {}), "__interrupt__": state["interrupts"]}
    return Reply(values, headers=headers)


async def _find(engine: Engine, call: Call) -> RunRecord:
    return await engine.runs.find(thread_of(call), call.path["run_id"])
