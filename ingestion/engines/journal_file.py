"""The journal of the embedded index: a file that is written whole, by its one owner."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from anyio import CapacityLimiter, to_thread
from pydantic import TypeAdapter, ValidationError

from ingestion.journal import State
from runtime.errors import KnowledgeUnavailable

_STATES = TypeAdapter(Mapping[str, State])


class JournalFile:
    """A `Journal` beside its shard. Reading it costs nothing."""

    def __init__(self, path: Path) -> None:
        """Raises KnowledgeUnavailable for a file that is damaged."""
        self._path = path
        self._thread = CapacityLimiter(1)
        try:
            self._states = dict(_STATES.validate_json(path.read_bytes()))
        except FileNotFoundError:
            self._states = {}
        except (OSError, ValidationError) as exc:
            raise KnowledgeUnavailable(
                f"{str(path)!r} cannot be read ({type(exc).__name__}); move the index away and fill it again"
            ) from exc

    async def state(self, tenant: str) -> State:
        return self._states.get(tenant, State())

    async def swap(self, tenant: str, old: State, new: State) -> bool:
        """On disk when it returns; one at a time."""
        return await to_thread.run_sync(self._swap, tenant, old, new, limiter=self._thread)

    async def tenants(self) -> list[str]:
        return [tenant for tenant, state in self._states.items() if state.hidden]

    def _swap(self, tenant: str, old: State, new: State) -> bool:
        if self._states.get(tenant, State()) != old:
            return False
        states = {**self._states, tenant: new}
        self._save(states)
        self._states = states
        return True

    def _save(self, states: Mapping[str, State]) -> None:
        raw = self._path.with_suffix(".new")
        try:
            with raw.open("wb") as file:
                file.write(_STATES.dump_json(states))
                file.flush()
                os.fsync(file.fileno())
            raw.replace(self._path)
        except OSError as exc:
            raise KnowledgeUnavailable(f"{str(self._path)!r} cannot be written ({exc.strerror})") from exc
