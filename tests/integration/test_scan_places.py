"""Where on its page OCR found a text: in points of a PDF, in pixels of an image, wherever the file lies."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator
from email.message import EmailMessage
from functools import cache
from pathlib import Path

import numpy as np
import pymupdf
import pytest
from PIL import Image

from ingestion import work
from ingestion.artifacts import Artifacts
from ingestion.budget import ByteBudget
from ingestion.document import Block, Box, Part
from ingestion.limits import Limits
from ingestion.ocr.rapid import rapid_reader
from ingestion.options import ReadOptions
from ingestion.reading import Reader
from ingestion.sandbox import Sandbox, open_sandbox
from runtime.errors import DocumentCorrupt

pytestmark = pytest.mark.anyio

TEXT = "A seat costs sixty-nine dollars a month"
WIDTH, HEIGHT = 420, 200
INK = Box(60, 84, 270, 102)
"""Where TEXT stands, in points, roughly: its letters lie within."""


def drawn(rotate: int = 0) -> pymupdf.Document:
    """A page with TEXT."""
    pdf = pymupdf.open()
    page = pdf.new_page(width=WIDTH, height=HEIGHT)
    page.insert_text((62, 97), TEXT, fontsize=11)
    page.set_rotation(rotate)
    return pdf


@cache
def scanned_image() -> bytes:
    """A picture of that page, 300 pixels an inch."""
    with drawn() as pdf:
        return bytes(pdf[0].get_pixmap(dpi=300).tobytes("png"))


@cache
def scanned_pdf(rotate: int = 0) -> bytes:
    """A PDF whose page is that picture; stored lying on its side, and turned back, with `rotate`."""
    with pymupdf.open() as pdf:
        size = (WIDTH, HEIGHT) if rotate % 180 == 0 else (HEIGHT, WIDTH)
        page = pdf.new_page(width=size[0], height=size[1])
        page.insert_image(page.rect, stream=scanned_image(), rotate=rotate)
        page.set_rotation(rotate)
        return bytes(pdf.tobytes())


def zipped(name: str, data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, data)
    return buffer.getvalue()


def mailed(name: str, data: bytes) -> bytes:
    mail = EmailMessage()
    mail["Subject"] = "Prices"
    mail.set_content("See the attachment.")
    mail.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes()


async def ink(png: bytes) -> list[Part]:
    """Reads no letter, but finds exactly where they are."""
    try:
        pixels = np.asarray(Image.open(io.BytesIO(png)).convert("L"))
    except OSError as exc:
        raise DocumentCorrupt("no image") from exc
    rows, columns = np.nonzero(pixels < 128)
    if not len(rows):
        return []
    box = Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    return [Part("paragraph", TEXT, box=Box(*map(float, box)))]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Of the module, as the parser process is."""
    return "asyncio"


@pytest.fixture(scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    """One parser process for all of these tests."""
    async with open_sandbox(1, 2 * 1024**3) as opened:
        yield opened


async def found(reader: Reader, data: bytes, name: str, folder: Path) -> list[Block]:
    """The blocks that have a place."""
    path = folder / "file"
    path.write_bytes(data)
    artifacts = Artifacts(folder / "artifacts")
    read = await reader.read(path, name, artifacts, lambda done, count: None)
    document = artifacts.document()
    assert isinstance(read, work.Read) and document is not None
    return [block for block in document.blocks if block.box]


def is_within(inner: Box, outer: Box) -> bool:
    return (
        outer.x0 <= inner.x0 < inner.x1 <= outer.x1
        and outer.y0 <= inner.y0 < inner.y1 <= outer.y1
        and inner.x1 - inner.x0 > 0.8 * (outer.x1 - outer.x0)
    )


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (scanned_pdf(), "scan.pdf"),
        (scanned_pdf(90), "turned.pdf"),
        (zipped("scan.pdf", scanned_pdf()), "scans.zip"),
        (mailed("scan.pdf", scanned_pdf()), "scans.eml"),
        (zipped("mail.eml", mailed("scan.pdf", scanned_pdf())), "mails.zip"),
    ],
)
async def test_a_scanned_page_is_measured_in_points(
    sandbox: Sandbox, data: bytes, name: str, tmp_path: Path
) -> None:
    """A citation marks the text on the page, whatever the page came in."""
    reader = Reader(sandbox, ByteBudget(2**27), ink, ReadOptions())
    (block,) = await found(reader, data, name, tmp_path)
    assert block.box and is_within(block.box, INK) and block.page == 1


async def test_a_page_past_the_limit_of_pixels_is_measured_in_points_too(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """It is rendered smaller, and is as large as before."""
    reader = Reader(sandbox, ByteBudget(2**27), ink, ReadOptions(limits=Limits(pixels=80_000)))
    with drawn() as pdf, pymupdf.open() as scan:
        page = scan.new_page(width=WIDTH, height=HEIGHT)
        page.insert_image(page.rect, stream=pdf[0].get_pixmap(dpi=60).tobytes("png"))
        (block,) = await found(reader, scan.tobytes(), "large.pdf", tmp_path)
    assert block.box and is_within(block.box, Box(58, 82, 274, 104))


@pytest.mark.parametrize(
    ("data", "name"),
    [(scanned_image(), "photo.png"), (zipped("photo.png", scanned_image()), "photos.zip")],
)
async def test_an_image_is_measured_in_its_own_pixels(
    sandbox: Sandbox, data: bytes, name: str, tmp_path: Path
) -> None:
    """It has no points: whoever shows it counts its pixels."""
    reader = Reader(sandbox, ByteBudget(2**27), ink, ReadOptions())
    (block,) = await found(reader, data, name, tmp_path)
    assert block.box and is_within(block.box, Box(*(side * 300 / 72 for side in INK)))


async def test_rapidocr_finds_the_text_where_it_stands(sandbox: Sandbox, tmp_path: Path) -> None:
    """The words that OCR reads of a scan lie over those of the page that was scanned."""
    reader = Reader(sandbox, ByteBudget(2**27), rapid_reader(sandbox, 120), ReadOptions())
    (block,) = await found(reader, scanned_pdf(), "scan.pdf", tmp_path)
    assert "".join(block.text.split()) == "".join(TEXT.split())
    # An engine draws its boxes a little wider than the ink.
    assert block.box and is_within(block.box, Box(INK.x0 - 4, INK.y0 - 4, INK.x1 + 4, INK.y1 + 4))
