"""Backups of an embedded collection: a copy of its folder, taken while nothing is written."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from anyio import to_thread

from ingestion.backup import MANIFEST, Backup, read_manifest
from ingestion.collection import Collection, restored_name
from ingestion.engines.edge import open_edge
from ingestion.engines.edge_collections import EdgeCollections
from ingestion.engines.profile_file import read_profile
from ingestion.index import Index
from ingestion.record import DOCUMENTS
from ingestion.within import Within
from runtime.errors import InvalidInput, KnowledgeUnavailable

_SHARD = "collection"
_TIMEOUT_S = 60.0


class EdgeBackups:
    """`Backups` of the process that has the collections open; writes wait for the copy."""

    def __init__(self, collections: EdgeCollections) -> None:
        self._collections = collections

    async def backup(self, folder: str) -> Backup:
        target = Path(folder)
        if target.exists():
            raise InvalidInput(f"{folder!r} is there already; name a folder that is to be made")
        raw, here = target.with_name(target.name + ".part"), await self._collections.current()
        await to_thread.run_sync(_make_room, raw)
        try:
            manifest = await self._copied(here, raw)
            await to_thread.run_sync((raw / MANIFEST).write_text, manifest.model_dump_json(indent=1))
            await to_thread.run_sync(raw.rename, target)
        finally:
            await to_thread.run_sync(shutil.rmtree, raw, True)
        return manifest

    async def recover(self, folder: str) -> Backup:
        manifest = await to_thread.run_sync(read_manifest, Path(folder))
        name = restored_name(manifest.collection, datetime.now(UTC))
        await self._collections.take(Path(folder) / _SHARD, name)
        try:
            _check(manifest, await counts((await self._collections.open(name, manifest.profile)).index))
        except KnowledgeUnavailable:
            await self._collections.drop(name)
            raise
        await self._collections.switch(name)
        return manifest

    async def _copied(self, here: Collection, raw: Path) -> Backup:
        async with here.versions.still():
            manifest = Backup(
                collection=here.name,
                profile=here.index.profile,
                made_at=datetime.now(UTC).isoformat(timespec="seconds"),
                points=await counts(here.index),
            )
            await to_thread.run_sync(shutil.copytree, self._collections.folder_of(here.name), raw / _SHARD)
        # Opening a shard may write to it, so that a copy of the copy is opened.
        trial = raw / "trial"
        await to_thread.run_sync(shutil.copytree, raw / _SHARD, trial)
        async with open_edge(trial, read_profile(trial), DOCUMENTS, _TIMEOUT_S) as opened:
            _check(manifest, await counts(opened))
        await to_thread.run_sync(shutil.rmtree, trial)
        return manifest


async def counts(index: Index) -> Mapping[str, int]:
    """Points by tenant."""
    return {tenant: await index.count(Within(tenant)) for tenant in await index.tenants()}


def _check(manifest: Backup, found: Mapping[str, int]) -> None:
    if dict(found) != dict(manifest.points):
        wrong = sum(found.get(tenant) != points for tenant, points in manifest.points.items())
        raise KnowledgeUnavailable(
            f"of {len(manifest.points)} tenants {wrong} have other points than the backup says"
        )


def _make_room(raw: Path) -> None:
    try:
        shutil.rmtree(raw, ignore_errors=True)
        raw.mkdir(parents=True)
    except OSError as exc:
        raise InvalidInput(f"{str(raw.parent)!r} cannot be written ({exc.strerror})") from exc
