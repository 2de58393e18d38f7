"""Documents in stores that fsspec knows: `s3://`, `gs://`, `az://`, …

fsspec's calls block, so they run in threads. One that is past its time is left behind: its thread ends when
the store answers or its own time-outs strike, since a thread cannot be stopped.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import anyio
from anyio import to_thread
from fsspec.core import url_to_fs

from ingestion.sources.spool import Spool
from runtime.errors import DocumentMissing, DocumentTooLarge, SourceRefused, SourceUnavailable

T = TypeVar("T")
Details = dict[str, Any]

BUCKETS = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "hf"})
"""Stores whose servers the settings of their packages name, not the URL."""
HOSTED = frozenset({"sftp", "ssh", "ftp", "smb", "webdav", "hdfs", "webhdfs"})
"""Their URLs name the host, and no guard looks at its address: for this machine's own user only."""

_CLOSE_S = 1.0
_BLOCK_BYTES = 4 * 1024 * 1024
_ERRORS = [
    ("botocore.exceptions", "BotoCoreError"),
    ("botocore.exceptions", "ClientError"),
    ("aiohttp.client_exceptions", "ClientError"),
    ("google.auth.exceptions", "GoogleAuthError"),
    ("gcsfs.retry", "HttpError"),
    ("azure.core.exceptions", "AzureError"),
    ("paramiko.ssh_exception", "SSHException"),
]
"""What fsspec's back-ends let through of their own libraries, beside OSError."""


class Entry(NamedTuple):
    """A file in a store."""

    path: str
    """As its file system writes it, without the scheme."""
    details: Details
    """fsspec's `info`: `size`, and more under names that differ."""


class Store:
    """One fsspec file system, and the path in it that a URL names."""

    def __init__(self, url: str, timeout_s: float) -> None:
        """Blocks. Raises SourceUnavailable where the scheme's package is not installed."""
        self.url = url
        self._timeout_s = timeout_s
        with _told(url):
            self._files, self.path = url_to_fs(url)
            # Instances are shared and remember their listings.
            self._files.invalidate_cache()

    async def details(self, path: str) -> Details | None:
        """None where nothing is at this path."""
        try:
            found: Details = await self._call(self._files.info, path)
        except DocumentMissing:
            return None
        return found

    async def entries(self, folder: str, limit: int) -> list[Entry]:
        """Its files, deep ones included. Raises DocumentTooLarge past `limit` of them.

        A store answers by folder, so one folder is held whole, however many files it has.
        """
        return await self._call(partial(self._walk, folder, limit))

    def _walk(self, folder: str, limit: int) -> list[Entry]:
        found: list[Entry] = []
        for root, _, files in self._files.walk(folder, detail=True, on_error="raise"):
            found += [Entry(f"{root.rstrip('/')}/{name}", details) for name, details in files.items()]
            if len(found) > limit:
                raise DocumentTooLarge(
                    f"{self.url!r} holds more than {limit:,} files", source=self.url, limit=limit
                )
        return found

    def uri(self, path: str) -> str:
        """The URL of a file in the store."""
        parts = urlsplit(self.url)
        if parts.scheme in HOSTED:  # fsspec leaves the host out of these.
            return f"{parts.scheme}://{parts.netloc}/{path.lstrip('/')}"
        return str(self._files.unstrip_protocol(path))

    async def copy(self, spool: Spool) -> None:
        """Writes the document that the URL names to the spool."""
        file = await self._call(partial(self._files.open, self.path, "rb", block_size=_BLOCK_BYTES))
        try:
            while block := await self._call(file.read, _BLOCK_BYTES):
                await spool.write(block)
        finally:
            with anyio.move_on_after(_CLOSE_S, shield=True):
                await to_thread.run_sync(file.close, abandon_on_cancel=True)
        await spool.flush()

    async def _call(self, function: Callable[..., T], *args: object) -> T:
        with _told(self.url), anyio.fail_after(self._timeout_s):
            return await to_thread.run_sync(partial(function, *args), abandon_on_cancel=True)


async def open_store(url: str, timeout_s: float) -> Store:
    """`timeout_s`: for each answer. Raises SourceRefused for chained URLs and for passwords in them."""
    if "::" in url:
        raise SourceRefused(f"chained URLs are not read: {url!r}", source=url)
    try:
        login = urlsplit(url).netloc.rpartition("@")[0]
    except ValueError as exc:
        raise SourceRefused(f"{url!r} is not a URL: {exc}", source=url) from exc
    if ":" in login:
        where = url.replace(login, "…", 1)
        raise SourceRefused(f"a URL with a password is not read: {where!r}", source=where)
    with _told(url), anyio.fail_after(timeout_s):
        return await to_thread.run_sync(Store, url, timeout_s, abandon_on_cancel=True)


@contextmanager
def _told(url: str) -> Iterator[None]:
    """Says in our errors what went wrong with a store."""
    try:
        yield
    except FileNotFoundError as exc:
        raise DocumentMissing(f"there is nothing at {url!r}", source=url) from exc
    except PermissionError as exc:
        raise SourceRefused(f"{url!r} may not be read: {exc}", source=url) from exc
    except TimeoutError as exc:
        raise SourceUnavailable(f"{url!r} did not answer in time", source=url) from exc
    except ImportError as exc:
        # fsspec's text names the package.
        raise SourceUnavailable(f"{url!r} cannot be read yet: {exc}", source=url) from exc
    except _errors() as exc:
        raise SourceUnavailable(
            f"{url!r} cannot be read: {str(exc) or type(exc).__name__}", source=url
        ) from exc


def _errors() -> tuple[type[Exception], ...]:
    """Also those of the libraries that were imported by now: one that was not has raised nothing."""
    found = [getattr(sys.modules.get(module), name, None) for module, name in _ERRORS]
    return (OSError, ValueError, *(error for error in found if error is not None))
