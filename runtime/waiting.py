"""Ending a run that others may end too, and waiting for it to settle."""

from __future__ import annotations

import anyio

from runtime.context import User
from runtime.engine import Engine
from runtime.errors import NotFound, RunTimeout, leaf
from runtime.events import Logged
from runtime.keys import split_thread_key
from runtime.run_record import ENDED, RunRecord
from runtime.session import open_session

_POLL_S = 0.5
"""For the end of a run that no event tells: it was rolled back, or its log is gone."""


async def cancel_if_there(engine: Engine, thread: str, run_id: str) -> None:
    """Tells the run to stop, unless it is over, rolled back or deleted by now."""
    try:
        await engine.runs.cancel(thread, run_id)
    except NotFound:
        pass


async def settled(engine: Engine, thread: str, run_id: str, *, within_s: float) -> RunRecord | None:
    """The record of the run once it has ended; None when it was rolled back or deleted.

    Raises RunTimeout after `within_s` seconds.
    """
    try:
        return await _settled(engine, thread, run_id, within_s)
    except (NotFound, ExceptionGroup) as exc:
        # The thread was deleted meanwhile, and with it went the session that listened.
        if isinstance(leaf(exc), NotFound):
            return None
        raise


async def _settled(engine: Engine, thread: str, run_id: str, within_s: float) -> RunRecord | None:
    ended = anyio.Event()

    async def note(logged: Logged) -> None:
        if f'"synth:{run_id}:lc' in logged.event.body:
            ended.set()

    tenant, thread_id = split_thread_key(thread)
    reader = User(tenant, "", frozenset({"admin"}))
    async with open_session(reader, thread_id, engine, note) as session:
        await session.subscribe({"channels": ["lifecycle"], "since": await engine.events.last_seq(thread)})
        with anyio.move_on_after(within_s):
            while True:
                ended = anyio.Event()
                record = await _find(engine, thread, run_id)
                if record is None or record.status in ENDED:
                    return record
                with anyio.move_on_after(_POLL_S):
                    await ended.wait()
    raise RunTimeout(f"run {run_id!r} did not end within {within_s:g} s", limit_s=within_s)


async def _find(engine: Engine, thread: str, run_id: str) -> RunRecord | None:
    try:
        return await engine.runs.find(thread, run_id)
    except NotFound:
        return None
