"""The jobs by which crons fire: one in the queue for each time that is due soon."""

from __future__ import annotations

from runtime.cron_record import firing_key
from runtime.queue import RunQueue

FIRE = "fire_cron"
"""The name under which workers register `Crons.fire`."""
AHEAD_S = 180
"""Jobs are put into the queue this long before they are due: more than the minute between two `reschedule`s,
so that one may be missed, and no more, so that a cron that is changed leaves nothing behind for long."""
_TIMEOUT_S = 60
"""Of one firing, which starts a run and does not wait for it."""
_RETRIES = 3


async def enqueue_firing(queue: RunQueue, tenant: str, cron_id: str, due: int) -> None:
    """One job, however often this is called before it is done; `due` in seconds since the epoch."""
    await queue.enqueue(
        FIRE,
        key=firing_key(cron_id, due),
        scheduled=due,
        timeout=_TIMEOUT_S,
        retries=_RETRIES,
        retry_delay=1.0,
        ttl=-1,  # Nothing of the job stays: the record says what was done.
        tenant=tenant,
        cron_id=cron_id,
        due=due,
    )
