"""A client's key for a request: sent again with it, the request is known, and starts nothing twice."""

from __future__ import annotations

import hashlib

from runtime.keys import tagged

REMEMBERED_MS = 24 * 3_600_000
"""How long a key stands for the run that it started, also when a stateless run's thread is gone."""


def stored_under(thread: str, key: str) -> str:
    """The Redis key that remembers the run which a client's key started on the thread."""
    return tagged(thread, f"idempotency:{hashlib.sha256(key.encode()).hexdigest()}")


def digest(request: bytes) -> str:
    """By which one request under a key is told from another."""
    return hashlib.sha256(request).hexdigest()[:32]
