"""A folder of documents through one parser process, and through two."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Literal, NamedTuple

import anyio
from anyio import CapacityLimiter, to_thread

from benchmarks.ingest import documents
from benchmarks.ingest.reading import open_files, read
from benchmarks.ingest.table_files import as_pdf
from benchmarks.ingest.table_truth import tables
from ingestion.reading import Reader

_ROUNDS = 5
_AT_ONCE = 4
"""Documents; more than there are processes, so that none waits for the next."""
_COUNT, _SIZE = 48, 30

Folder = Literal["text", "layout"]
"""All kinds of text and office files; PDFs with tables, for the layout model."""


class SpeedUp(NamedTuple):
    name: str
    one_s: float
    two_s: float
    faster: float
    """Median over the rounds."""

    @property
    def row(self) -> Sequence[str]:
        return (self.name, f"{self.one_s:.2f}", f"{self.two_s:.2f}", f"{self.faster:.2f}")


async def speed_up(folder: Folder) -> SpeedUp:
    with TemporaryDirectory() as name:
        paths = await to_thread.run_sync(_written, Path(name), folder)
        async with open_files(1) as one, open_files(2) as two:
            for reader in (one, two):
                await _all(reader, paths)  # starts the processes; each imports what it needs
            rounds = [(await _all(one, paths), await _all(two, paths)) for _ in range(_ROUNDS)]
    alone, together = zip(*rounds, strict=True)
    faster = median(a / b for a, b in rounds)
    return SpeedUp(f"{len(paths)} files, {folder}", median(alone), median(together), faster)


def _written(folder: Path, kind: Folder) -> list[Path]:
    if kind == "text":
        return documents.write(folder, _COUNT, _SIZE)
    paths = []
    for made in tables("borderless"):
        paths.append(folder / f"{made.number}.pdf")
        paths[-1].write_bytes(as_pdf(made))
    return paths


async def _all(reader: Reader, paths: Sequence[Path]) -> float:
    """Seconds."""
    limiter = CapacityLimiter(_AT_ONCE)

    async def one(path: Path) -> None:
        async with limiter:
            await read(reader, path)

    began = perf_counter()
    async with anyio.create_task_group() as tasks:
        for path in paths:
            tasks.start_soon(one, path)
    return perf_counter() - began
