"""Which versions of documents no search may see: those being written, and those that are replaced."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

STALE_S = 86_400
"""A version that nobody published within a day is taken for abandoned."""


@dataclass(frozen=True)
class Hidden:
    """A version out of sight."""

    since: float
    """Seconds since 1970."""
    writers: tuple[str, ...] = ()
    """The runs that write it; () for a version that is replaced."""


Tenants = Mapping[str, Mapping[str, Hidden]]
"""By tenant and version."""

_TENANTS = TypeAdapter(Tenants)


class Journal:
    """A file that is written whole, so that one change of it hides one version and shows another at once.

    Read from any thread; changed by one at a time.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hidden: Tenants = _TENANTS.validate_json(path.read_bytes()) if path.exists() else {}

    def hidden(self, tenant: str) -> Mapping[str, Hidden]:
        """The tenant's hidden versions."""
        return self._hidden.get(tenant, {})

    def stale(self) -> list[tuple[str, str]]:
        """Tenant and version of those hidden for longer than STALE_S."""
        before = time.time() - STALE_S
        return [
            (t, version)
            for t, mine in self._hidden.items()
            for version, h in mine.items()
            if h.since < before
        ]

    def write(self, tenant: str, version: str, writers: Iterable[str]) -> None:
        """Hides a version that these runs write; without any it is hidden no longer."""
        kept = tuple(writers)
        self._change(tenant, {version: Hidden(time.time(), kept)} if kept else {}, () if kept else [version])

    def change(self, tenant: str, *, hide: Iterable[str] = (), show: Iterable[str] = ()) -> None:
        """Hides and shows in one step, on disk when it returns."""
        self._change(tenant, dict.fromkeys(hide, Hidden(time.time())), show)

    def _change(self, tenant: str, hide: Mapping[str, Hidden], show: Iterable[str]) -> None:
        mine = {**self.hidden(tenant), **hide}
        for version in show:
            mine.pop(version, None)
        changed = {**self._hidden, tenant: mine}
        self._save({tenant: mine for tenant, mine in changed.items() if mine})

    def _save(self, hidden: Tenants) -> None:
        new = self._path.with_suffix(".new")
        with new.open("wb") as file:
            file.write(_TENANTS.dump_json(hidden))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)
        self._hidden = hidden
