"""Readers that began before a change, waited for before what they still read is deleted."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_WAIT_S = 10.0
"""Longer than any search takes; after it the deletion goes on."""


class Readers:
    """Those that are reading now, in any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._now: set[object] = set()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Within the block a reader counts as present."""
        reader = object()
        with self._changed:
            self._now.add(reader)
        try:
            yield
        finally:
            with self._changed:
                self._now.discard(reader)
                self._changed.notify_all()

    def wait_for_present(self) -> None:
        """Returns when those that are reading now have ended; later ones are not waited for."""
        with self._changed:
            present = set(self._now)
            self._changed.wait_for(lambda: not present & self._now, _WAIT_S)
