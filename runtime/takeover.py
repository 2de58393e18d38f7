"""What a lost worker left in the log, put right for clients before its successor goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import orjson

from runtime.events import Event, EventLog, Logged
from runtime.open_ends import OpenEnds
from runtime.run_record import Claim
from runtime.wire import Translator

_LOST = "lost with its worker; it starts again"


async def take_over(
    log: EventLog, claim: Claim, translator: Translator, checkpoint_id: str | None
) -> list[Event]:
    """The events that close what was left open, and one that says from where the run goes on.

    The latter is a `custom` event named `run.resumed` with run id, attempt and checkpoint (None: from its
    input). What was open begins again, as the steps after that checkpoint do.
    """
    ends = OpenEnds()
    async for logged in _logged(log, claim):
        envelope = orjson.loads(logged.event.body)
        ends.note(logged.event.method, envelope["params"]["data"], logged.event.namespace)
    resumed = {
        "name": "run.resumed",
        "run_id": claim.run_id,
        "attempt": claim.attempt,
        "checkpoint_id": checkpoint_id,
    }
    closing = [translator.make(*end) for end in ends.close(_LOST)]
    return [*closing, translator.make("custom", resumed)]


async def _logged(log: EventLog, claim: Claim) -> AsyncIterator[Logged]:
    seq = claim.run.seq_before
    while page := await log.read(claim.thread, seq):
        for logged in page:
            if logged.event.method in ("messages", "tools", "lifecycle"):
                yield logged
        seq = page[-1].seq
