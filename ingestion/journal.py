"""Which versions of documents no search may see: those being written, and those that are replaced."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import orjson

STALE_S = 86_400
"""A version that nobody published within a day is taken for abandoned."""

Tenants = Mapping[str, Mapping[str, float]]
"""By tenant and version: when it was hidden, in seconds since 1970."""


class Journal:
    """A file that is written whole, so that one change of it hides one version and shows another at once.

    Read from any thread; changed by one at a time.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hidden: Tenants = orjson.loads(path.read_bytes()) if path.exists() else {}

    def hidden(self, tenant: str) -> list[str]:
        """The tenant's hidden versions."""
        return list(self._hidden.get(tenant, ()))

    def stale(self) -> list[tuple[str, str]]:
        """Tenant and version of those hidden for longer than STALE_S."""
        before = time.time() - STALE_S
        return [(t, version) for t, all in self._hidden.items() for version, at in all.items() if at < before]

    def change(self, tenant: str, *, hide: Iterable[str] = (), show: Iterable[str] = ()) -> None:
        """Hides and shows in one step, on disk when it returns."""
        mine = {**self._hidden.get(tenant, {}), **dict.fromkeys(hide, time.time())}
        for version in show:
            mine.pop(version, None)
        changed = {**self._hidden, tenant: mine}
        self._write({tenant: mine for tenant, mine in changed.items() if mine})

    def _write(self, hidden: Tenants) -> None:
        new = self._path.with_suffix(".new")
        with new.open("wb") as file:
            file.write(orjson.dumps(hidden))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)
        self._hidden = hidden
