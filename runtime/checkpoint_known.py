"""What the saver knows to be stored already, so that it need not send it again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from threading import Lock


class Known:
    """Names of stored blocks by thread, at most `limit` in all; threads unused for longest go first.

    It is knowledge of the past: keys expire, are pruned or flushed, a replica lags. So the script that stores
    the rest checks first that each block left out is there.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._names: OrderedDict[str, set[bytes]] = OrderedDict()
        self._lock = Lock()  # The sync API is used from several threads.

    def of(self, thread: str, names: Iterable[bytes]) -> frozenset[bytes]:
        """Those of `names` that are known."""
        with self._lock:
            known = self._names.get(thread)
            if known is None:
                return frozenset()
            self._names.move_to_end(thread)
            return frozenset(known.intersection(names))

    def learn(self, thread: str, names: Iterable[bytes]) -> None:
        """These are stored."""
        with self._lock:
            known = self._names.setdefault(thread, set())
            before = len(known)
            known.update(names)
            self._size += len(known) - before
            self._names.move_to_end(thread)
            while self._size > self._limit:
                self._drop(next(iter(self._names)))

    def forget(self, thread: str) -> None:
        """Nothing is known of the thread any more."""
        with self._lock:
            self._drop(thread)

    def _drop(self, thread: str) -> None:
        self._size -= len(self._names.pop(thread, ()))
