"""Documents as runs of the graph `ingest`: started, followed, and what became of each."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import NAMESPACE_URL, uuid5

import anyio
import orjson
from anyio import CancelScope, CapacityLimiter

from compose import Installation
from graphs import INGEST
from ingestion.document import clean
from ingestion.sources.source import Source
from runtime.context import OPERATOR, User
from runtime.errors import AppError, leaf
from runtime.events import Logged
from runtime.keys import thread_key
from runtime.run_request import RunParams
from runtime.session import open_session
from runtime.waiting import cancel_if_there, settled

_CANCEL_S = 5.0
_WAIT_S = 24 * 3_600.0
"""The run's own time-out is shorter; this bounds the wait where no worker takes it."""

Status = Literal["ingested", "unchanged", "refused", "failed", "removed", "cancelled"]


@dataclass(frozen=True)
class Outcome:
    """What became of one document."""

    document: str
    status: Status
    place: str = ""
    """The URI it comes from; "" where nothing is known by what was named."""
    pages: int | None = None
    chunks: int = 0
    tokens: int = 0
    bytes: int = 0
    seconds: float = 0.0
    """From the start of its run to its end, waiting for a worker included."""
    reading: Mapping[str, Any] = field(default_factory=dict)
    """Level, parser and reasons of the route that was taken."""
    notes: Sequence[str] = ()
    hidden: int = 0
    moved_from: str = ""
    """The place where it was before, or ""."""
    namesakes: Sequence[str] = ()
    """Places of other documents of its name."""
    code: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Watch:
    """Whom the runs tell how far they are."""

    on_stage: Callable[[str, str], None]
    """Takes a document and the stage it has come to, "" at its end."""
    on_pages: Callable[[str, int, int], None]
    """Takes a document, its scanned pages that are read, and how many there are."""
    on_chunks: Callable[[str, int, int], None]
    """Takes a document, its chunks that have their vectors, and how many there are."""

    def note(self, document: str, progress: Mapping[str, Any]) -> None:
        """One progress event of the document's run."""
        if progress["stage"] == "parse" and progress["done"]:
            self.on_pages(document, progress["done"], progress["total"])
        elif progress["stage"] == "embed" and progress["done"]:
            self.on_chunks(document, progress["done"], progress["total"])
        elif not progress["done"]:
            self.on_stage(document, progress["stage"])


async def ingest_all(
    installation: Installation,
    tenant: str,
    sources: Sequence[Source],
    watch: Watch,
    more: Mapping[str, Any],
    stop: CancelScope | None = None,
) -> list[Outcome]:
    """One outcome for each source, in their order; a document that fails does not stop the others.

    `more`: of the run's input, `strategy` and `keep_versions`. `stop`: whoever cancels it gets what has ended
    by then, and the rest as `cancelled`.
    """
    outcomes = [Outcome(clean(source.name), "cancelled", source.uri) for source in sources]
    limiter = CapacityLimiter(await _at_once(installation))

    async def one(number: int, source: Source) -> None:
        async with limiter:
            began = time.monotonic()
            values = await _run(installation, tenant, source, watch, more)
            outcomes[number] = _outcome(source, values, time.monotonic() - began)
            watch.on_stage(source.name, "")

    with stop or CancelScope():
        async with anyio.create_task_group() as tasks:
            for number, source in enumerate(sources):
                tasks.start_soon(one, number, source)
    return outcomes


async def _at_once(installation: Installation) -> int:
    """As many as keep the parsers busy, but at most half of the workers' slots: others talk meanwhile."""
    settings = installation.settings
    of_one = min(2 * settings.ingest_processes, max(1, settings.worker_concurrency // 2))
    return of_one * max(1, await installation.queue.workers())


async def _run(
    installation: Installation, tenant: str, source: Source, watch: Watch, more: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The last state of the document's run; `failed` with the error's code where it had none."""
    user = User(tenant, OPERATOR, frozenset({"admin"}))
    # One thread a document, so that two commands at once do not write it at once.
    thread_id = str(uuid5(NAMESPACE_URL, f"ingest\x00{tenant}\x00{source.uri}"))
    asked = {"source": source.uri, "name": source.name, "root": root_of(source), **more}
    try:
        return await _followed(installation, user, thread_id, asked, watch)
    except (AppError, ExceptionGroup) as exc:
        error = leaf(exc)
        if not isinstance(error, AppError):
            raise
        return {"status": "failed", "code": error.code, "reason": str(error)}


async def _followed(
    installation: Installation, user: User, thread_id: str, asked: Mapping[str, Any], watch: Watch
) -> Mapping[str, Any]:
    engine, thread = installation.engine, thread_key(user.tenant, thread_id)
    params = RunParams(assistant_id=INGEST, input=asked)
    started = await engine.commands.start(user, thread_id, params, forget=True)

    async def note(logged: Logged) -> None:
        watch.note(str(asked["name"]), orjson.loads(logged.event.body)["params"]["data"])

    try:
        async with open_session(user, thread_id, engine, note) as session:
            await session.subscribe({"channels": ["custom:progress"], "since": started.seq_before})
            run = await settled(engine, thread, started.run_id, within_s=_WAIT_S)
    except anyio.get_cancelled_exc_class():
        # Whoever interrupts the command wants no document read behind his back.
        with anyio.move_on_after(_CANCEL_S, shield=True):
            await cancel_if_there(engine, thread, started.run_id)
        raise
    if run is None or run.status != "success":
        code, message = (run.error, run.error_message) if run else ("run_cancelled", "its run was deleted")
        return {"status": "failed", "code": code, "reason": message}
    state = await engine.state.get(user, await engine.threads.own(user, thread_id))
    return state.values if state else {"status": "failed", "code": "not_found", "reason": "its state is gone"}


def root_of(source: Source) -> str:
    """What named the source, the same wherever the command was given."""
    if "://" in source.root:
        return source.root
    # Names on disk may be no UTF-8, and JSON is.
    return os.fsencode(os.path.abspath(source.root)).decode("utf-8", "replace")


def _outcome(source: Source, values: Mapping[str, Any], seconds: float) -> Outcome:
    given = {key: values[key] for key in Outcome.__dataclass_fields__ if key in values}
    known = {"document": clean(source.name), "place": source.uri, "seconds": round(seconds, 2)}
    return Outcome(**{**given, **known})
