"""What a backup of the index says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from ingestion.vectors import Profile
from runtime.errors import InvalidInput

MANIFEST = "backup.json"


class Backup(BaseModel):
    """The manifest, in a backup's folder beside what it is of."""

    model_config = ConfigDict(frozen=True)

    collection: str
    profile: Profile
    made_at: str
    """UTC, ISO 8601."""
    points: Mapping[str, int]
    """By tenant: what is there after a restore."""


def read_manifest(folder: Path) -> Backup:
    """Raises InvalidInput for a folder that is no whole backup."""
    try:
        return Backup.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError) as exc:
        raise InvalidInput(
            f"{str(folder)!r} is no whole backup of the index: its {MANIFEST} cannot be read"
        ) from exc


class Backups(Protocol):
    """Of the current collection, on the machine whose process does it."""

    async def backup(self, folder: str) -> Backup:
        """Writes a consistent copy, checked by opening it; `folder` is not there yet. Searches go on.

        Raises InvalidInput for the folder, KnowledgeUnavailable where the copy is not whole.
        """
        ...

    async def recover(self, folder: str) -> Backup:
        """Makes what a backup holds current, in a collection of its own; the one before is kept.

        Raises InvalidInput for a folder that is no backup, KnowledgeUnavailable where it is damaged: the
        current collection then stays.
        """
        ...
