"""A backup of the index: its folder, and what it says of itself."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from anyio import CancelScope, to_thread
from pydantic import BaseModel, ConfigDict, ValidationError

from ingestion.index import Index
from ingestion.vectors import Profile
from ingestion.within import Within
from runtime.errors import InvalidInput, KnowledgeUnavailable

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
    sha256: str = ""
    """Of a server's snapshot, in hexadecimal; "" where the backup is an engine's folder."""


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


def read_manifest(folder: Path) -> Backup:
    """Raises InvalidInput for a folder that is no whole backup."""
    try:
        return Backup.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError) as exc:
        raise InvalidInput(
            f"{str(folder)!r} is no whole backup of the index: its {MANIFEST} cannot be read"
        ) from exc


async def write_manifest(folder: Path, manifest: Backup) -> None:
    await to_thread.run_sync((folder / MANIFEST).write_text, manifest.model_dump_json(indent=1))


@asynccontextmanager
async def new_folder(folder: str) -> AsyncIterator[Path]:
    """One to write a backup into: it becomes `folder` when the block ends well, and else is gone.

    Raises InvalidInput where `folder` is there already or cannot be written.
    """
    target = Path(folder)
    if target.exists():
        raise InvalidInput(f"{folder!r} is there already; name a folder that is to be made")
    raw = target.with_name(target.name + ".part")
    await to_thread.run_sync(_make_room, raw)
    try:
        yield raw
        await to_thread.run_sync(raw.rename, target)
    finally:
        with CancelScope(shield=True):
            await to_thread.run_sync(shutil.rmtree, raw, True)


async def counts(index: Index) -> Mapping[str, int]:
    """Points by tenant."""
    return {tenant: await index.count(Within(tenant)) for tenant in await index.tenants()}


def check_counts(manifest: Backup, found: Mapping[str, int]) -> None:
    """Raises KnowledgeUnavailable where they are not the manifest's."""
    said = dict(manifest.points)
    wrong = sum(found.get(tenant) != said.get(tenant) for tenant in {*said, *found})
    if wrong:
        raise KnowledgeUnavailable(
            f"{wrong} tenants have other points than the backup says of its {len(said)}"
        )


def _make_room(raw: Path) -> None:
    try:
        shutil.rmtree(raw, ignore_errors=True)
        raw.mkdir(parents=True)
    except OSError as exc:
        raise InvalidInput(f"{str(raw.parent)!r} cannot be written ({exc.strerror})") from exc
