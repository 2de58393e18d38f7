"""Which versions of documents no search may see: those being written, and those that are replaced."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

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

    def leftovers(self) -> list[tuple[str, str]]:
        """Tenant and version of those that nobody writes any more, or seems to: see `is_left`."""
        return [
            (t, version) for t, mine in self._hidden.items() for version in mine if self.is_left(t, version)
        ]

    def is_left(self, tenant: str, version: str) -> bool:
        """Whether it is hidden, and without a writer, or for longer than STALE_S."""
        hidden = self.hidden(tenant).get(version)
        return hidden is not None and (not hidden.writers or hidden.since < time.time() - STALE_S)

    def write(self, tenant: str, version: str, writers: Iterable[str]) -> None:
        """Hides a version that these runs write."""
        self._change(tenant, {version: Hidden(time.time(), tuple(writers))}, ())

    def change(
        self,
        tenant: str,
        *,
        drop: Iterable[str] = (),
        keep: Iterable[str] = (),
        show: Iterable[str] = (),
    ) -> None:
        """Hides versions that are to be deleted or kept, and shows others, in one step; on disk on return."""
        now = time.time()
        hide = {**dict.fromkeys(drop, Hidden(now)), **dict.fromkeys(keep, Hidden(now, keep=True))}
        self._change(tenant, hide, show)

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
