"""The temporary file that a remote document is written to, hashed and bounded on the way."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import TracebackType

from anyio import to_thread

from runtime.errors import DocumentTooLarge

_BLOCK_BYTES = 1024 * 1024
"""Written at once, in a thread: a disk may stall."""


class Spool:
    """An asynchronous context manager; it writes the file anew."""

    def __init__(self, path: Path, limit: int, name: str) -> None:
        self.size = 0
        self.limit = limit
        self._name = name
        self._hash = hashlib.sha256()
        self._file = path.open("wb")
        self._block = bytearray()

    @property
    def sha256(self) -> str:
        """Of what was flushed, as 64 hexadecimal digits."""
        return self._hash.hexdigest()

    def expect(self, size: int) -> None:
        """Raises DocumentTooLarge where the place announces more than may be written."""
        if size > self.limit:
            text = f"{self._name!r} has {size:,} bytes, more than the {self.limit:,} allowed"
            raise DocumentTooLarge(text, document=self._name, bytes=size, limit=self.limit)

    async def write(self, chunk: bytes) -> None:
        """Raises DocumentTooLarge for the first byte above the limit."""
        self.size += len(chunk)
        if self.size > self.limit:
            text = f"{self._name!r} has more than the {self.limit:,} bytes allowed"
            raise DocumentTooLarge(text, document=self._name, limit=self.limit)
        self._block += chunk
        if len(self._block) >= _BLOCK_BYTES:
            await self.flush()

    async def flush(self) -> None:
        block, self._block = self._block, bytearray()
        await to_thread.run_sync(self._store, bytes(block))

    def _store(self, block: bytes) -> None:
        self._hash.update(block)
        self._file.write(block)
        self._file.flush()

    async def __aenter__(self) -> Spool:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
