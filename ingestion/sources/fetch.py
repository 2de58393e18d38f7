"""A document as a file of this machine: a local one where it stands, a remote one in a temporary file."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import anyio
from anyio import to_thread

from ingestion.budget import ByteBudget
from ingestion.limits import Limits
from ingestion.sources.local import told
from ingestion.sources.source import Source
from ingestion.sources.spool import Spool
from ingestion.sources.stores import open_store
from ingestion.sources.web import Guard, WebRules, download
from runtime.errors import DocumentTooLarge, SourceRefused, SourceUnavailable

_BLOCK_BYTES = 1024 * 1024
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,10}\Z")


@dataclass(frozen=True)
class Fetched:
    path: Path
    sha256: str
    """Of the content, as 64 hexadecimal digits."""
    size: int
    """Bytes."""


@dataclass(frozen=True)
class Remote:
    """How remote documents are fetched."""

    web: WebRules = field(default_factory=WebRules)
    guard: Guard | None = None
    """Another than that of `web`'s rules, which resolves names by the system."""
    total_s: float = 300.0
    """For one document, all tries together."""
    answer_s: float = 60.0
    """For each answer of a store."""
    pauses_s: Sequence[float] = (0.5, 2.0)
    """Before the second and the third try, after what may pass: SourceUnavailable."""


@asynccontextmanager
async def fetched(
    source: Source, limits: Limits, budget: ByteBudget, remote: Remote = Remote()
) -> AsyncIterator[Fetched]:
    """The document's content, which stands there until the block ends.

    Its bytes are held of the budget: its size, or as long as that is unknown the most it may be. Raises
    DocumentMissing, DocumentTooLarge, SourceRefused, SourceUnavailable; the last one also at the end of the
    block where a local file was changed in it, so that its hash would not be that of what was read.
    """
    path = source.path
    async with budget.hold(_share(source, limits, budget), source.name) as hold:
        if path is not None:
            stood = await to_thread.run_sync(_hash, path, source, limits, abandon_on_cancel=True)
            hold.shrink(stood.content.size)
            yield stood.content
            _check_unchanged(path, stood.stamp, source)
            return
        with tempfile.TemporaryDirectory(prefix="cornerman-") as folder:
            suffix = _SUFFIX.search(urlsplit(source.uri).path)
            target = Path(folder, "document" + (suffix[0] if suffix else ""))
            content = await _fetch(source, target, hold.size if source.size is None else limits.bytes, remote)
            hold.shrink(content.size)
            yield content


class _Stamp(NamedTuple):
    """What changes when a file is written or replaced."""

    inode: int
    size: int
    modified_ns: int


class _Stood(NamedTuple):
    content: Fetched
    stamp: _Stamp
    """Before it was read."""


def _share(source: Source, limits: Limits, budget: ByteBudget) -> int:
    """Bytes to be held for the document."""
    size = source.size
    if source.path is not None:
        with told(str(source.path), source.name):
            size = source.path.lstat().st_size
    if size is None:
        return min(limits.bytes, budget.limit)
    _check_size(size, source, limits)
    return size


def _check_size(size: int, source: Source, limits: Limits) -> None:
    if size > limits.bytes:
        text = f"{source.name!r} has at least {size:,} bytes, more than the {limits.bytes:,} allowed"
        raise DocumentTooLarge(text, document=source.name, bytes=size, limit=limits.bytes)


def _hash(path: Path, source: Source, limits: Limits) -> _Stood:
    # NOFOLLOW: locate resolved all links, so one that stands there now was put there since. NONBLOCK: opening
    # a named pipe would wait for its writer.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    digest, size = hashlib.sha256(), 0
    with told(str(path), source.name), os.fdopen(os.open(path, flags), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise SourceRefused(f"{str(path)!r} is not a regular file", document=source.name)
        while block := file.read(_BLOCK_BYTES):
            size += len(block)
            _check_size(size, source, limits)
            digest.update(block)
    return _Stood(Fetched(path, digest.hexdigest(), size), _stamp(status))


def _stamp(status: os.stat_result) -> _Stamp:
    return _Stamp(status.st_ino, status.st_size, status.st_mtime_ns)


def _check_unchanged(path: Path, stamp: _Stamp, source: Source) -> None:
    with told(str(path), source.name):
        if _stamp(path.lstat()) != stamp:
            raise SourceUnavailable(f"{source.name!r} was changed while it was read", document=source.name)


async def _fetch(source: Source, target: Path, limit: int, remote: Remote) -> Fetched:
    try:
        with anyio.fail_after(remote.total_s):
            for pause_s in remote.pauses_s:
                try:
                    return await _fetch_once(source, target, limit, remote)
                except SourceUnavailable:
                    await anyio.sleep(pause_s)
            return await _fetch_once(source, target, limit, remote)
    except TimeoutError as exc:
        text = f"fetching {source.uri!r} took longer than {remote.total_s:g} s"
        raise SourceUnavailable(text, document=source.name, limit_s=remote.total_s) from exc


async def _fetch_once(source: Source, target: Path, limit: int, remote: Remote) -> Fetched:
    async with Spool(target, limit, source.name) as spool:
        if urlsplit(source.uri).scheme in ("http", "https"):
            await download(source.uri, spool, remote.web, remote.guard or Guard(remote.web))
        else:
            store = await open_store(source.uri, remote.answer_s)
            await store.copy(spool)
    return Fetched(target, spool.sha256, spool.size)
