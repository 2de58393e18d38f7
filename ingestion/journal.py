"""Which versions of documents no search may see: those being written, and those that are replaced."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol
from uuid import uuid4

from ingestion.leftovers import STALE_S


@dataclass(frozen=True)
class Hidden:
    """A version out of sight."""

    since: float
    """Seconds since 1970."""
    writers: tuple[str, ...] = ()
    """The runs that write it; () for a version that is to leave the place it had."""
    keep: bool = False
    """Of a version without writers: it is to be marked as superseded, not to be deleted."""

    def is_left(self, grace_s: float = 0.0) -> bool:
        """Whether nobody writes it any more, or seems to; without writers, for `grace_s` seconds at least."""
        return self.since < time.time() - (STALE_S if self.writers else grace_s)


@dataclass(frozen=True)
class State:
    """A tenant's versions as the journal has them."""

    hidden: Mapping[str, Hidden] = field(default_factory=dict)
    revision: str = ""
    """Another one whenever searches may see something else than before."""
    keeps: bool = False
    """Whether some versions are marked as superseded: each search then has to leave those out, which doubles
    its time."""

    def write(self, version: str, writers: Iterable[str]) -> State:
        """Hides a version that these runs write, which searches did not see before."""
        return replace(self, hidden={**self.hidden, version: Hidden(time.time(), tuple(writers))})

    def change(
        self, *, drop: Iterable[str] = (), keep: Iterable[str] = (), show: Iterable[str] = ()
    ) -> State:
        """Hides versions that are to be deleted or kept, and shows others."""
        keep, now = tuple(keep), time.time()
        hidden = {**self.hidden, **dict.fromkeys(drop, Hidden(now))}
        hidden |= dict.fromkeys(keep, Hidden(now, keep=True))
        for version in show:
            hidden.pop(version, None)
        return State(hidden, uuid4().hex, self.keeps or bool(keep))

    def without(self, ended: Mapping[str, Hidden]) -> State:
        """Forgets what was done with these, as far as nobody has begun something else with them."""
        left = {version: hidden for version, hidden in self.hidden.items() if ended.get(version) != hidden}
        return replace(self, hidden=left)


class Journal(Protocol):
    """One change of it hides one version and shows another at once. Raises KnowledgeUnavailable."""

    async def state(self, tenant: str) -> State: ...

    async def swap(self, tenant: str, old: State, new: State) -> bool:
        """Puts `new` in the place of `old`; False, and nothing is done, where that is no longer the state."""
        ...

    async def tenants(self) -> list[str]:
        """Those with hidden versions."""
        ...
