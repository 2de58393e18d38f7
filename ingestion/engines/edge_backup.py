"""Backups of an embedded collection: a copy of its folder, taken while nothing is written."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

from anyio import to_thread

from ingestion.backup import Backup, check_counts, counts, new_folder, read_manifest, write_manifest
from ingestion.collection import Collection, restored_name
from ingestion.engines.edge import open_edge
from ingestion.engines.edge_collections import EdgeCollections
from ingestion.engines.profile_file import read_profile
from ingestion.record import DOCUMENTS
from runtime.errors import KnowledgeUnavailable

_SHARD = "collection"
_TIMEOUT_S = 60.0


class EdgeBackups:
    """`Backups` of the process that has the collections open; writes wait for the copy."""

    def __init__(self, collections: EdgeCollections) -> None:
        self._collections = collections

    async def backup(self, folder: str) -> Backup:
        async with new_folder(folder) as raw:
            manifest = await self._copied(await self._collections.current(), raw)
            await write_manifest(raw, manifest)
        return manifest

    async def recover(self, folder: str) -> Backup:
        manifest = await to_thread.run_sync(read_manifest, Path(folder))
        name = restored_name(manifest.collection, datetime.now(UTC))
        await self._collections.take(Path(folder) / _SHARD, name)
        try:
            check_counts(manifest, await counts((await self._collections.open(name, manifest.profile)).index))
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
            check_counts(manifest, await counts(opened))
        await to_thread.run_sync(shutil.rmtree, trial)
        return manifest
