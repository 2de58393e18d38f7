"""Redis keys of a thread: one hash tag, so a thread is one cluster slot and one script reaches all of it."""

from __future__ import annotations

import re

from runtime.errors import InvalidInput

_THREAD_ID = re.compile(r"[A-Za-z0-9._:@-]{1,128}")
_ESCAPES = str.maketrans({"%": "%25", "{": "%7B", "}": "%7D"})


def check_thread_id(thread_id: object) -> str:
    """A client's thread id as it came. Raises InvalidInput."""
    if not isinstance(thread_id, str) or not _THREAD_ID.fullmatch(thread_id):
        raise InvalidInput(
            f"thread id {str(thread_id)[:140]!r}: 1 to 128 letters, digits and any of . _ : @ - are allowed"
        )
    return thread_id


def thread_key(tenant: str, thread_id: str) -> str:
    """The id under which LangGraph and Redis know a tenant's thread. The tenant never holds a slash."""
    return f"{tenant}/{thread_id}"


def split_thread_key(key: str) -> tuple[str, str]:
    """Tenant and thread id of a `thread_key`."""
    tenant, _, thread_id = key.partition("/")
    return tenant, thread_id


def tagged(key: str, kind: str) -> str:
    """The Redis key that holds `kind` of the thread `key`: `{tenant/thread}:kind`."""
    return f"{{{key.translate(_ESCAPES)}}}:{kind}"


def fence_key(key: str) -> str:
    """Counter raised at each claim of one of the thread's runs; a writer with a smaller number is stale."""
    return tagged(key, "fence")


def tenant_threads(tenant: str) -> str:
    """Sorted set of a tenant's threads by last use, each as `owner NUL thread id`."""
    return f"tenant:{tenant}:threads"
