"""The embedded collections: a folder for each, and a file that points to the current one."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from anyio import CancelScope, Lock, to_thread
from pydantic import BaseModel, ValidationError

from ingestion.collection import Collection
from ingestion.engines.edge import open_edge
from ingestion.engines.journal_file import JournalFile
from ingestion.engines.profile_file import read_profile
from ingestion.record import DOCUMENTS
from ingestion.shown import Shown
from ingestion.vectors import Profile
from ingestion.versions import Versions
from runtime.errors import InvalidInput, KnowledgeUnavailable


class _Pointer(BaseModel):
    current: str


class EdgeCollections:
    """`Collections` below one folder, of the process that owns it. Opened by `open_collections`."""

    def __init__(self, folder: Path, timeout_s: float) -> None:
        self._folder = folder
        self._timeout_s = timeout_s
        self._open: dict[str, Collection] = {}
        self._stacks: dict[str, AsyncExitStack] = {}
        self._current = ""
        self._turn = Lock()

    async def current(self, *, fresh: bool = False) -> Collection:
        """Always fresh: no other process has them open."""
        return self._open[self._current]

    async def names(self) -> list[str]:
        there = (path.parent.name for path in self._folder.glob("*/profile.json"))
        # One that is being made has a dot.
        return sorted(name for name in there if "." not in name)

    async def open(self, name: str, profile: Profile) -> Collection:
        async with self._turn:
            if name not in self._open:
                folder, stack = self._folder / name, AsyncExitStack()
                journal = await to_thread.run_sync(JournalFile, folder / "journal.json")
                index = await stack.enter_async_context(
                    open_edge(folder, profile, DOCUMENTS, self._timeout_s)
                )
                self._stacks[name] = stack
                self._open[name] = Collection(name, index, Versions(index, journal), Shown(index, journal))
        return self._open[name]

    async def kept(self, name: str) -> Collection:
        if name not in await self.names():
            raise InvalidInput(f"there is no collection {name!r}; there are {', '.join(await self.names())}")
        return await self.open_there(name)

    async def open_there(self, name: str) -> Collection:
        """One that exists, whatever its profile. Raises KnowledgeUnavailable where it is damaged."""
        return await self.open(name, await to_thread.run_sync(read_profile, self._folder / name))

    def folder_of(self, name: str) -> Path:
        """Of a collection that is there."""
        return self._folder / name

    async def take(self, copied: Path, name: str) -> None:
        """Copies a collection's folder in, as one of that name."""
        raw = self._folder / f"{name}.part"
        try:
            await to_thread.run_sync(shutil.copytree, copied, raw)
            await to_thread.run_sync(raw.rename, self._folder / name)
        except OSError as exc:
            raise KnowledgeUnavailable(f"{str(copied)!r} cannot be copied ({exc.strerror})") from exc
        finally:
            await to_thread.run_sync(shutil.rmtree, raw, True)

    async def switch(self, name: str) -> None:
        if await to_thread.run_sync(_pointed_to, self._folder) != name:
            await to_thread.run_sync(_point, self._folder, name)
        self._current = name

    async def drop(self, name: str) -> None:
        if name == self._current or name not in await self.names():
            raise InvalidInput(f"{name!r} is not one of the collections that are kept beside the current one")
        async with self._turn:
            await self._close(name)
            await to_thread.run_sync(shutil.rmtree, self._folder / name)

    async def close(self) -> None:
        """Writes everything to disk and lets go of the files."""
        for name in [*self._stacks]:
            await self._close(name)

    async def _close(self, name: str) -> None:
        self._open.pop(name, None)
        if name in self._stacks:
            await self._stacks.pop(name).aclose()


@asynccontextmanager
async def open_collections(
    folder: Path, first: str, profile: Profile, timeout_s: float
) -> AsyncIterator[EdgeCollections]:
    """Those in `folder`; where there is none, one named `first` of that profile becomes current.

    Raises KnowledgeUnavailable if the current one is damaged.
    """
    collections = EdgeCollections(folder, timeout_s)
    try:
        name = await to_thread.run_sync(_pointed_to, folder)
        if name is None:
            await collections.open(first, profile)
        else:
            await collections.open_there(name)
        await collections.switch(name or first)
        yield collections
    finally:
        with CancelScope(shield=True):
            await collections.close()


def _pointed_to(folder: Path) -> str | None:
    path = folder / "current.json"
    try:
        return _Pointer.model_validate_json(path.read_bytes()).current
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as exc:
        raise KnowledgeUnavailable(
            f'{str(path)!r} does not name the current collection; put {{"current": "…"}} there, with the'
            " name of one of the folders beside it"
        ) from exc


def _point(folder: Path, name: str) -> None:
    """On disk when it returns, all or nothing."""
    raw = folder / "current.new"
    try:
        with raw.open("w") as file:
            file.write(_Pointer(current=name).model_dump_json())
            file.flush()
            os.fsync(file.fileno())
        raw.replace(folder / "current.json")
    except OSError as exc:
        raise KnowledgeUnavailable(f"{str(raw)!r} cannot be written ({exc.strerror})") from exc
