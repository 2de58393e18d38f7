"""A document whose pages are pictures: which of them OCR reads, how many at once, what its faults cost."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pymupdf
import pytest
from PIL import Image

from ingestion.artifacts import Artifacts
from ingestion.budget import ByteBudget
from ingestion.document import Document, Part
from ingestion.limits import Limits
from ingestion.options import ReadOptions
from ingestion.parsed import Scan
from ingestion.reading import Reader
from ingestion.sandbox import Sandbox, open_sandbox
from runtime.errors import DocumentCorrupt, DocumentEmpty, OcrUnavailable

pytestmark = pytest.mark.anyio

PAGES = 6


def scan(pages: int = PAGES, layer: str = "") -> bytes:
    """A PDF of pictures; page i is 60 + i points wide. `layer`: what an older OCR left on the first one."""
    with pymupdf.open() as pdf:
        for i in range(1, pages + 1):
            page = pdf.new_page(width=60 + i, height=40)
            gray = Image.new("L", (240 + 4 * i, 160), 128)
            buffer = io.BytesIO()
            gray.save(buffer, "PNG")
            page.insert_image(page.rect, stream=buffer.getvalue())
        if layer:
            pdf[0].insert_text((2, 20), layer, fontsize=4, render_mode=3)
        return bytes(pdf.tobytes())


@dataclass
class Engine:
    """Reads of a page its number, by its width; `says` has what else it does, by page."""

    says: dict[int, str | Exception] = field(default_factory=dict)
    read: list[int] = field(default_factory=list)
    """In the order of asking."""
    hold: anyio.Event = field(default_factory=anyio.Event)
    """Pages wait for it."""
    active: int = 0
    most_active: int = 0

    async def __call__(self, png: bytes) -> list[Part]:
        with Image.open(io.BytesIO(png)) as image:
            page = round(image.width * 72 / 150) - 60
        self.read.append(page)
        self.active += 1
        self.most_active = max(self.active, self.most_active)
        try:
            await self.hold.wait()
        finally:
            self.active -= 1
        said = self.says.get(page, f"Page {page}.")
        if isinstance(said, Exception):
            raise said
        return [Part("paragraph", said, confidence=0.9)] if said else []


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Of the module, as the parser process is."""
    return "asyncio"


@pytest.fixture(scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    """One parser process for all of these tests."""
    async with open_sandbox(1, 2 * 1024**3) as opened:
        yield opened


@dataclass
class Desk:
    """A file and a reader for it."""

    reader: Reader
    engine: Engine
    folder: Path
    reported: list[tuple[int, int]] = field(default_factory=list)

    @property
    def artifacts(self) -> Artifacts:
        return Artifacts(self.folder / "artifacts")

    scans: tuple[tuple[int, Scan], ...] = ()
    """What the parent was told of the pages."""

    async def read(self, data: bytes) -> Document:
        path = self.folder / "scan.pdf"
        path.write_bytes(data)
        read = await self.reader.read(
            path, "scan.pdf", self.artifacts, lambda done, count: self.reported.append((done, count))
        )
        self.scans = read.scans
        document = self.artifacts.document()
        assert document is not None
        return document


@pytest.fixture
def desk(sandbox: Sandbox, tmp_path: Path) -> Desk:
    engine = Engine()
    engine.hold.set()
    return Desk(Reader(sandbox, ByteBudget(2**27), engine, ReadOptions()), engine, tmp_path)


async def test_every_page_is_read_once_and_stands_in_its_place(desk: Desk) -> None:
    """Whichever page is done first, the text has the order of the file, and who waits hears how far it is."""
    document = await desk.read(scan())
    assert [(b.text, b.page) for b in document.blocks] == [(f"Page {i}.", i) for i in range(1, PAGES + 1)]
    assert document.blocks[0].confidence == 0.9 and document.notes == ()
    assert sorted(desk.engine.read) == list(range(1, PAGES + 1))
    assert desk.reported == [(i, PAGES) for i in range(1, PAGES + 1)]


async def test_a_page_that_cannot_be_read_is_noted(desk: Desk) -> None:
    """It costs its own text only, and its own layer of text stands in for it where it has one."""
    desk.engine.says = {1: DocumentCorrupt("no image at all"), 3: DocumentCorrupt("torn in two")}
    document = await desk.read(scan(3, layer="As an older OCR had it"))
    assert [(block.text, block.page) for block in document.blocks] == [
        ("As an older OCR had it", 1),
        ("Page 2.", 2),
    ]
    assert document.notes == ("page 1: no image at all", "page 3: torn in two")
    assert desk.scans == tuple((i, Scan(i + 1)) for i in range(3)), "the parent holds no text of a document"


async def test_pages_read_before_an_outage_are_not_read_again(desk: Desk) -> None:
    """OCR is the dearest step: the next try asks for the pages that are missing, and for no other."""
    desk.engine.says = {PAGES: OcrUnavailable("the endpoint rests")}
    with pytest.raises(OcrUnavailable, match="the endpoint rests"):
        await desk.read(scan())
    assert desk.artifacts.document() is None
    before = [page for page in range(1, PAGES + 1) if desk.artifacts.page(page - 1) is not None]
    desk.engine.says.clear()
    desk.engine.read.clear()
    assert len((await desk.read(scan())).blocks) == PAGES
    assert before and sorted([*desk.engine.read, *before]) == list(range(1, PAGES + 1))


async def test_an_outage_is_not_asked_about_page_by_page(desk: Desk) -> None:
    """Once OCR is unavailable the document waits for its next try, and its other pages with it."""
    desk.engine.says = dict.fromkeys(range(1, 21), OcrUnavailable("the endpoint rests"))
    with pytest.raises(OcrUnavailable):
        await desk.read(scan(20))
    assert len(desk.engine.read) <= 5


async def test_only_a_few_pages_are_in_memory_at_once(desk: Desk) -> None:
    """Four pictures of one document wait for OCR, however many pages it has, and the budget knows of them."""
    desk.engine.hold = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(desk.read, scan(9))
        with anyio.fail_after(60):
            while desk.engine.active < 4:
                await anyio.sleep(0.01)
        await anyio.sleep(0.1)
        assert desk.reader.budget.active_buffers == 4 and desk.reader.budget.held_bytes > 0
        desk.engine.hold.set()
    assert desk.engine.most_active == 4 and len(desk.engine.read) == 9
    assert desk.reader.budget.held_bytes == 0


async def test_pictures_without_text_are_no_document(desk: Desk) -> None:
    """Whoever ingests holiday photographs is told what was looked for, and how often."""
    desk.engine.says = dict.fromkeys(range(1, 4), "")
    with pytest.raises(DocumentEmpty, match="holds no text; OCR found none on 3 pages"):
        await desk.read(scan(3))


async def test_what_read_it_is_part_of_the_recipe(sandbox: Sandbox) -> None:
    """A document is read anew once its limits or the engine of its pages are others, and only then."""
    budget, engine = ByteBudget(1), Engine()
    recipe = Reader(sandbox, budget, engine, ReadOptions(), "rapidocr").recipe
    assert Reader(sandbox, budget, engine, ReadOptions(), "rapidocr").recipe == recipe
    assert Reader(sandbox, budget, engine, ReadOptions(), "deepseek").recipe != recipe
    assert Reader(sandbox, budget, engine, ReadOptions(limits=Limits(pages=3)), "rapidocr").recipe != recipe
