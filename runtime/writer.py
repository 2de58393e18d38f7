"""A run's events into its log, in batches as they come."""

from __future__ import annotations

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream

from runtime.events import Event, EventLog
from runtime.run_record import Claim

_QUEUE = 256
"""Event lists between graph and log; a slow log slows the graph down instead of filling memory."""
_GATHER_S = 0.010
"""After tokens were appended, so that the first goes out at once and those that follow fast go together:
measured at 50 threads, it halves the CPU an event costs worker and server. Models are slower than this."""


class Writer:
    """Appends under the claim's fence."""

    def __init__(self, log: EventLog, claim: Claim) -> None:
        self._log = log
        self._claim = claim
        self._batch = 0
        self._closed = anyio.Event()
        self._send, self._receive = anyio.create_memory_object_stream[list[Event]](_QUEUE)

    async def __aenter__(self) -> Writer:
        return self

    async def __aexit__(self, *failure: object) -> None:
        self._send.close()
        self._receive.close()

    async def write(self, events: list[Event]) -> None:
        """Where there is room, without a point at which it can be cancelled: what the translator has counted
        as said is then in the log.
        """
        if not events:
            return
        try:
            self._send.send_nowait(events)
        except anyio.WouldBlock:
            await self._send.send(events)

    def close(self) -> None:
        """What was written so far still goes out; `drain` then ends."""
        self._closed.set()
        self._send.close()

    async def drain(self) -> None:
        """Raises StaleFence when another worker has claimed the run."""
        async for first in self._receive:
            events = [*first, *_ready(self._receive)]
            self._batch += 1
            await self._log.append(self._claim.thread, self._claim.fence, self._batch, events)
            if any(_is_token(event) for event in events):
                with anyio.move_on_after(_GATHER_S):
                    await self._closed.wait()


def _is_token(event: Event) -> bool:
    return event.method == "messages" and '"event":"content-block-delta"' in event.body


def _ready(stream: MemoryObjectReceiveStream[list[Event]]) -> list[Event]:
    events: list[Event] = []
    while stream.statistics().current_buffer_used:
        events += stream.receive_nowait()
    return events
