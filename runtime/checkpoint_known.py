"""What the saver knows to be stored already, so that it need not send it again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from threading import Lock
from typing import NamedTuple

_GUARDS = 64
"""Knowledge that rests on more guards than this is not used: checking them costs more than sending."""


class Omission(NamedTuple):
    """Blocks that need not be sent as long as the server confirms generation and guards."""

    names: frozenset[bytes]
    generation: bytes
    guards: Sequence[bytes]


NOTHING = Omission(frozenset(), b"", ())


class _Thread:
    def __init__(self, generation: bytes) -> None:
        self.generation = generation
        self.guards: dict[bytes, bytes] = {}
        """By block: a field that was stored in the same script or later, and refers to it."""


class Known:
    """Names of stored blocks by thread, at most `limit` in all; the threads unused for longest go first.

    It is knowledge of the past, so it is only ever used together with the server's check: the generation
    changes whenever blocks are removed or the thread's keys vanish, and a guard that is missing means that
    the server has lost its latest writes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._threads: OrderedDict[str, _Thread] = OrderedDict()
        self._lock = Lock()  # The sync API is used from several threads.

    def omit(self, thread: str, names: Iterable[bytes]) -> Omission:
        """What of `names` need not be sent."""
        with self._lock:
            known = self._threads.get(thread)
            if known is None:
                return NOTHING
            self._threads.move_to_end(thread)
            omitted = {name: known.guards[name] for name in names if name in known.guards}
            guards = sorted(set(omitted.values()))
            if not omitted or len(guards) > _GUARDS:
                return NOTHING
            return Omission(frozenset(omitted), known.generation, guards)

    def learn(self, thread: str, generation: bytes, guards: Iterable[tuple[bytes, bytes]]) -> None:
        """Pairs of a stored block and its guard, seen under this generation."""
        with self._lock:
            known = self._threads.get(thread)
            if known is None or known.generation != generation:
                self._drop(thread)
                known = self._threads[thread] = _Thread(generation)
            before = len(known.guards)
            known.guards.update(guards)
            self._size += len(known.guards) - before
            self._threads.move_to_end(thread)
            while self._size > self._limit:
                self._drop(next(iter(self._threads)))

    def forget(self, thread: str) -> None:
        """Nothing is known of the thread any more."""
        with self._lock:
            self._drop(thread)

    def _drop(self, thread: str) -> None:
        dropped = self._threads.pop(thread, None)
        if dropped is not None:
            self._size -= len(dropped.guards)
