"""What the saver knows to be stored already, so that it need not send it again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from typing import NamedTuple

_GUARDS = 64
"""Knowledge that rests on more guards than this is not used: checking them costs more than sending."""


class Omission(NamedTuple):
    """Blocks that need not be sent if the server still has the guards."""

    names: frozenset[bytes]
    guards: Sequence[bytes]


NOTHING = Omission(frozenset(), ())


class Known:
    """Names of stored blocks by thread, at most `limit` in all; threads unused for longest go first.

    It is knowledge of the past: keys expire, are pruned or flushed, a replica lags. So each block has a
    guard, a field whose presence proves the block's, and the script that stores the rest checks it first.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._guards: OrderedDict[str, dict[bytes, bytes]] = OrderedDict()
        self._lock = Lock()  # The sync API is used from several threads.

    def omit(self, thread: str, names: Iterable[bytes]) -> Omission:
        """What of `names` need not be sent."""
        with self._lock:
            known = self._guards.get(thread)
            if known is None:
                return NOTHING
            self._guards.move_to_end(thread)
            omitted = {name: known[name] for name in names if name in known}
        guards = sorted(set(omitted.values()))
        return Omission(frozenset(omitted), guards) if len(guards) <= _GUARDS else NOTHING

    def learn(self, thread: str, guards: Mapping[bytes, bytes]) -> None:
        """Stored blocks, each with its guard."""
        with self._lock:
            known = self._guards.setdefault(thread, {})
            before = len(known)
            known.update(guards)
            self._size += len(known) - before
            self._guards.move_to_end(thread)
            while self._size > self._limit:
                self._drop(next(iter(self._guards)))

    def forget(self, thread: str) -> None:
        """Nothing is known of the thread any more."""
        with self._lock:
            self._drop(thread)

    def _drop(self, thread: str) -> None:
        self._size -= len(self._guards.pop(thread, {}))
