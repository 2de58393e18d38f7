"""One file into a document: parsed in a process of its own, its pictures of pages read by OCR."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import anyio
from anyio import CapacityLimiter, to_thread

from ingestion import work
from ingestion.artifacts import Artifacts
from ingestion.budget import ByteBudget
from ingestion.document import Box, Part
from ingestion.ocr.reading import ReadImage
from ingestion.options import ReadOptions
from ingestion.parsed import Scan
from ingestion.read import render_page
from ingestion.report import Report
from ingestion.sandbox import Sandbox
from runtime.errors import DocumentError

_PARSE_S, _PARSE_S_A_MB = 60.0, 60.0
"""For any document, and for each megabyte of it: layout and tables took up to 1.6 s a page, measured on pages
of 30 KB and more."""
_RENDER_S = 60.0
_PAGES_AT_ONCE = 4
"""Of one document; `read_image` has a limit of its own for all of them."""


@dataclass(frozen=True)
class Reader:
    """What a process reads files with."""

    sandbox: Sandbox
    budget: ByteBudget
    read_image: ReadImage
    options: ReadOptions
    ocr: str = "rapidocr"
    """What reads pictures of pages, by name."""

    @property
    def recipe(self) -> str:
        """All that decides what is read of the same bytes, but for the libraries' versions."""
        return f"{self.options} {self.ocr} {_docling()}"

    async def read(self, path: Path, name: str, artifacts: Artifacts, report: Report) -> work.Read:
        """Leaves the document in `artifacts`; pages that OCR read for an earlier try are taken from there.

        `report` takes scanned pages. A page that cannot be read is noted in the document. Raises a
        DocumentError, of which OcrUnavailable is retryable.
        """
        size = (await anyio.Path(path).stat()).st_size
        timeout_s = _PARSE_S + _PARSE_S_A_MB * size / 1e6
        reading = (work.read, path, name, self.options, artifacts.folder)
        read = await self.sandbox.call(*reading, timeout_s=timeout_s, document=name)
        if read.scans:
            pages = _Pages(self, path, name, artifacts, report, len(read.scans), {})
            await pages.read(read.scans)
            joining = (work.join, name, artifacts.folder, pages.failed)
            await self.sandbox.call(*joining, timeout_s=timeout_s, document=name)
        return read


@cache
def _docling() -> str:
    """The version of the extra, which reads PDFs in another way."""
    try:
        return version("docling")
    except PackageNotFoundError:
        return ""


@dataclass
class _Pages:
    """The scans of one document."""

    reader: Reader
    path: Path
    name: str
    artifacts: Artifacts
    report: Report
    count: int
    failed: dict[int, str]
    """Why a page could not be read, by its place."""
    done: int = 0
    unavailable: DocumentError | None = None

    async def read(self, scans: Sequence[tuple[int, Scan]]) -> None:
        limiter = CapacityLimiter(_PAGES_AT_ONCE)
        async with anyio.create_task_group() as tasks:
            for place, scan in scans:
                tasks.start_soon(self._one, place, scan, limiter, tasks.cancel_scope)
        if self.unavailable:
            raise self.unavailable

    async def _one(
        self, place: int, scan: Scan, limiter: CapacityLimiter, all_pages: anyio.CancelScope
    ) -> None:
        async with limiter:
            try:
                await self._page(place, scan)
            except DocumentError as exc:
                self.failed[place] = str(exc)
                if exc.retryable:
                    self.unavailable = exc
                    all_pages.cancel()
        self.done += 1
        self.report(self.done, self.count)

    async def _page(self, place: int, scan: Scan) -> None:
        if await to_thread.run_sync(self.artifacts.page, place) is not None:
            return
        document = f"{self.name}, page {scan.page}"
        rendering = (render_page, self.path, scan, self.reader.options)
        picture = await self.reader.sandbox.call(*rendering, timeout_s=_RENDER_S, document=document)
        async with self.reader.budget.hold(len(picture.png), document):
            parts = await self.reader.read_image(picture.png)
        placed = [_on_page(part, scan.page, picture.scale) for part in parts]
        await to_thread.run_sync(self.artifacts.save_page, place, placed)


def _on_page(part: Part, page: int, scale: float) -> Part:
    """A pixel of its picture is `scale` units of the page."""
    box = Box(*(round(side * scale, 1) for side in part.box)) if part.box else None
    return replace(part, page=page, box=box)
