"""The thread that a call names, as far as its user may go."""

from __future__ import annotations

from runtime.api.call import Call
from runtime.engine import Engine
from runtime.keys import check_thread_id, thread_key
from runtime.threads import ThreadRow


def thread_id_of(call: Call) -> str:
    """Raises InvalidInput."""
    return check_thread_id(call.path["thread_id"])


def thread_of(call: Call) -> str:
    """The thread's key. Raises InvalidInput."""
    return thread_key(call.user.tenant, thread_id_of(call))


async def read_thread(engine: Engine, call: Call) -> ThreadRow:
    """Raises NotFound and PermissionDenied."""
    return await engine.threads.get(call.user, thread_id_of(call))


async def changed_thread(engine: Engine, call: Call) -> ThreadRow:
    """A thread that the user may change. Raises NotFound and PermissionDenied."""
    return await engine.threads.own(call.user, thread_id_of(call))
