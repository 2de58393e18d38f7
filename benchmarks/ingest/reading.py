"""Files read as an installation reads them: in a parser process, scanned pages by OCR."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import NamedTuple

from ingestion.artifacts import Artifacts
from ingestion.document import Document
from ingestion.opening import Setup, open_reader
from ingestion.parsed import Route
from ingestion.reading import Reader
from runtime.errors import DocumentError


class FileRead(NamedTuple):
    """What came of a file."""

    seconds: float
    document: Document | None
    route: Route | None
    code: str = ""
    """Of the refusal; "" for a file that was read."""
    reason: str = ""


@asynccontextmanager
async def open_files(processes: int = 1) -> AsyncIterator[Reader]:
    """As the settings' defaults have it, with so many parser processes."""
    with TemporaryDirectory() as folder:
        async with open_reader(Setup(Path(folder), {}, processes=processes), None) as reader:
            yield reader


async def read(reader: Reader, path: Path) -> FileRead:
    """The file as a document, or its refusal."""
    with TemporaryDirectory() as folder:
        artifacts = Artifacts(Path(folder))
        began = perf_counter()
        try:
            found = await reader.read(path, path.name, artifacts, lambda done, total: None)
        except DocumentError as exc:
            return FileRead(perf_counter() - began, None, None, exc.code, str(exc))
        return FileRead(perf_counter() - began, artifacts.document(), found.route)
