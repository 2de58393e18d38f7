"""The threads of stateless runs, which nobody else deletes: they go by themselves a while after the run."""

from __future__ import annotations

import time

from saq.job import Job

from runtime.queue import RunQueue

FORGET = "forget_thread"
"""The name under which workers register the removal."""
FORGET_AFTER_S = 60
"""How long the outcome of a stateless run can be asked for."""
_TRIES = 20
"""A minute apart, for a thread on which somebody has started another run."""


async def forget_later(queue: RunQueue, thread: str, after_s: int) -> None:
    """To be called before the run ends, so that no dead process leaves the thread behind; twice is once."""
    await queue.enqueue(
        FORGET,
        key=f"forget:{thread}",
        scheduled=int(time.time()) + after_s,
        retries=_TRIES,
        retry_delay=FORGET_AFTER_S,
        ttl=-1,
        thread=thread,
    )


async def put_off(queue: RunQueue, job: Job) -> None:
    """To be called by the removal itself: it is tried again in a minute, unless it has been too often."""
    if job.retryable:
        queue.disown(job.key)  # What ends now in this process is not the job.
        await job.retry(None)
