"""For a client whose place in the log is gone: the state, and the seq that it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import anyio
from langgraph.types import StateSnapshot

from runtime.context import User
from runtime.errors import ThreadBusy
from runtime.events import Event, encode_event
from runtime.thread_state import ThreadState
from runtime.threads import ThreadRow, Threads

_TRIES = 20
_PAUSE_S = 0.05
_PAGE = 8
"""States read at once, each of them whole."""
_RUN_PAGES = 125
"""1,000 checkpoints of a run in flight: more than its supersteps, as a rule."""


@dataclass(frozen=True)
class Snapshot:
    """All events up to `seq` are in `values`; those after it follow in the log."""

    seq: int
    values: Any
    checkpoint_id: str | None

    def event(self, gap: Mapping[str, int]) -> Event:
        """A `values` event of the root that says what it is for; `gap` is what the log cannot give."""
        about = {"resume_gap": {**gap, "seq": self.seq, "checkpoint_id": self.checkpoint_id}}
        return encode_event("values", self.values, event_id=f"snapshot:{self.seq}", more=about)


async def take_snapshot(threads: Threads, state: ThreadState, user: User, thread_id: str) -> Snapshot:
    """Of a thread at rest its state now; of a run in flight, which the log has whole, that before it.

    Raises ThreadBusy when runs begin and end faster than it can be read.
    """
    for _ in range(_TRIES):
        row = await threads.get(user, thread_id)
        found = await _before_run(state, user, row) if row.active else await state.get(user, row)
        after = await threads.get(user, thread_id)
        if (row.active, row.run_seq) == (after.active, after.run_seq) and (
            row.active or row.seq == after.seq
        ):
            where = found.config["configurable"] if found else {}
            values = {} if found is None or found.values is None else found.values
            return Snapshot(row.run_seq if row.active else row.seq, values, where.get("checkpoint_id"))
        await anyio.sleep(_PAUSE_S)
    raise ThreadBusy("the thread changes faster than its state can be read; try again")


async def _before_run(state: ThreadState, user: User, row: ThreadRow) -> StateSnapshot | None:
    before: str | None = None
    for _ in range(_RUN_PAGES):
        page = await state.history(user, row, _PAGE, before=before)
        for found in page:
            if (found.metadata or {}).get("run_id") != row.active:
                return found
        if len(page) < _PAGE:
            return None
        before = page[-1].config["configurable"]["checkpoint_id"]
    return None
