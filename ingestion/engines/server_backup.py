"""Backups of a Qdrant server's collection: its own snapshot, checked by recovering it there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path
from typing import Any

import anyio
import structlog
from anyio import to_thread

from ingestion.backup import Backup, check_counts, counts, new_folder, read_manifest, write_manifest
from ingestion.collection import restored_name
from ingestion.engines.server_collections import ServerCollections
from ingestion.engines.snapshots import Snapshots, open_snapshots
from ingestion.index import Index
from ingestion.vectors import Profile
from runtime.errors import InvalidInput, KnowledgeUnavailable, ProfileMismatch

log = structlog.get_logger()

_SNAPSHOT = "collection.snapshot"
_TIDY_S = 30.0
"""For taking away what is on the server; what is left then is named in the log."""


class ServerBackups:
    """`Backups` from any process that reaches the server.

    A server's writes cannot be stopped, so what a backup holds is what its snapshot holds, and the manifest's
    counts are those of a trial collection recovered from it: the server needs room for the data twice.

    Assumed of Qdrant, and checked by each backup's trial: a snapshot holds the collection's configuration
    with its metadata, where the profile is, and all points at one moment, those of the journal among them, so
    that hidden and staged versions stay so. Uploaded under a name that is not there, it makes a collection.
    It holds no alias, and of a cluster one node's shards only; a collection spread over nodes is refused.
    """

    def __init__(
        self, collections: ServerCollections, url: str, api_key: str | None, timeout_s: float = 600.0
    ) -> None:
        """`timeout_s` bounds each wait for the server, which answers when a snapshot is made or recovered."""
        self._collections = collections
        self._url = url
        self._api_key = api_key
        self._timeout_s = timeout_s

    async def backup(self, folder: str) -> Backup:
        """Where it fails, a snapshot is left on a server that did not come to say its name."""
        async with new_folder(folder) as raw, self._open() as snapshots:
            here, made_at = await self._collections.current(fresh=True), datetime.now(UTC)
            profile, file = here.index.profile, raw / _SNAPSHOT
            sha256 = await self._fetched(snapshots, self._collections.full_name(here.name), file)
            trial = f"{restored_name(here.name, made_at)}-trial"
            async with AsyncExitStack() as doomed:
                doomed.push_async_callback(self._drop, trial)
                points = await counts(await self._recovered(snapshots, trial, profile, file, sha256))
            manifest = Backup(
                collection=here.name,
                profile=profile,
                made_at=made_at.isoformat(timespec="seconds"),
                points=points,
                sha256=sha256,
            )
            await write_manifest(raw, manifest)
        return manifest

    async def recover(self, folder: str) -> Backup:
        manifest = await to_thread.run_sync(read_manifest, Path(folder))
        file = Path(folder) / _SNAPSHOT
        await to_thread.run_sync(_check_file, file, manifest)
        name = restored_name(manifest.collection, datetime.now(UTC))
        async with self._open() as snapshots, AsyncExitStack() as doomed:
            doomed.push_async_callback(self._drop, name)
            index = await self._recovered(snapshots, name, manifest.profile, file, manifest.sha256)
            check_counts(manifest, await counts(index))
            await self._collections.switch(name)
            doomed.pop_all()
        return manifest

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Snapshots]:
        async with open_snapshots(self._url, self._api_key, self._timeout_s) as snapshots:
            yield snapshots

    async def _fetched(self, snapshots: Snapshots, full: str, to: Path) -> str:
        await snapshots.check_whole(full)
        made = await snapshots.make(full)
        try:
            return await snapshots.fetch(full, made, to)
        finally:
            await _tidied(lambda: snapshots.delete(full, made.name), made.name)

    async def _recovered(
        self, snapshots: Snapshots, name: str, profile: Profile, file: Path, sha256: str
    ) -> Index:
        """A collection made of a snapshot. Raises KnowledgeUnavailable where it is not of that profile."""
        full = self._collections.full_name(name)
        await snapshots.recover(full, file, sha256)
        await _tidied(lambda: _forget(snapshots, full), full)
        # To open one that is not there would make it, and an empty one be taken for what was backed up.
        if name not in await self._collections.names():
            raise KnowledgeUnavailable("the Qdrant server has not made the collection of the snapshot")
        try:
            return (await self._collections.open(name, profile)).index
        except ProfileMismatch as exc:
            raise KnowledgeUnavailable("the snapshot is not of the profile that its backup names") from exc

    async def _drop(self, name: str) -> None:
        async def drop() -> None:
            try:
                await self._collections.drop(name)
            except InvalidInput:
                # It was never made; or it is current, since a switch was done whose answer was lost.
                return

        await _tidied(drop, name)


async def _forget(snapshots: Snapshots, full: str) -> None:
    """Deletes what the server keeps of an upload: a new collection has no other snapshot."""
    for snapshot in await snapshots.held(full):
        await snapshots.delete(full, snapshot.name)


async def _tidied(tidy: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
    try:
        with anyio.fail_after(_TIDY_S, shield=True):
            await tidy()
    except (KnowledgeUnavailable, TimeoutError):
        log.warning("backup.left_behind", name=name)


def _check_file(file: Path, manifest: Backup) -> None:
    try:
        with file.open("rb") as opened:
            found = file_digest(opened, "sha256").hexdigest()
    except OSError as exc:
        raise InvalidInput(
            f"{str(file.parent)!r} is no whole backup of a Qdrant server: its {file.name} cannot be read"
        ) from exc
    if found != manifest.sha256:
        raise KnowledgeUnavailable(
            f"{str(file)!r} is damaged: it is not the file that the backup was made of"
        )
