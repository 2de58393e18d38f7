"""RapidOCR on rendered pages: nothing is lost, columns keep their order, turned pages are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pymupdf
import pytest

from ingestion.document import Box, Part
from ingestion.ocr.rapid import rapid_reader, recognise
from ingestion.sandbox import open_sandbox
from ingestion.table import render_cells
from runtime.errors import DocumentCorrupt, OcrUnavailable

LEFT = ["Ask what the price is compared", "with before you defend it, and", "name the yearly saving first."]
RIGHT = [
    "A trial of two weeks shows the",
    "team what it gains, so offer it",
    "before any talk of a discount.",
]
CHINESE = ["客户说价格太高的时候，先问清楚", "他拿什么来比较，再说明每年能够", "节省多少费用。"]


def page(placed: Sequence[tuple[float, float, str]], *, rotate: int = 0, size: float = 11) -> bytes:
    """Lines at their places in points, as a PNG of 150 dpi."""
    with pymupdf.open() as pdf:
        sheet = pdf.new_page(width=420, height=200)
        writer = pymupdf.TextWriter(sheet.rect)
        font = pymupdf.Font("china-s" if any(text >= "\u2e80" for *_, text in placed) else "helv")
        for x, y, text in placed:
            writer.append((x, y), text, font=font, fontsize=size)
        writer.write_text(sheet)
        sheet.set_rotation(rotate)
        return bytes(sheet.get_pixmap(dpi=150).tobytes("png"))


def block(texts: Sequence[str], x: float, y: float, step: float = 15) -> list[tuple[float, float, str]]:
    return [(x, y + step * i, text) for i, text in enumerate(texts)]


def text_of(parts: Sequence[Part]) -> str:
    return " ".join(part.text or render_cells(part.cells) for part in parts)


def recall(wanted: Sequence[str], parts: Sequence[Part]) -> float:
    want, got = Counter("".join("".join(wanted).split())), Counter("".join(text_of(parts).split()))
    return (want & got).total() / want.total()


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_two_columns_are_read_in_order_whichever_way_the_page_lies(rotate: int) -> None:
    """A scan that was laid in sideways or upside down is text all the same."""
    parts = recognise(page([*block(LEFT, 30, 60), *block(RIGHT, 230, 60)], rotate=rotate))
    assert [part.text for part in parts] == [" ".join(LEFT), " ".join(RIGHT)]
    assert all(part.confidence and part.confidence > 0.9 for part in parts)


@pytest.mark.parametrize("rotate", [90, 180, 270])
def test_boxes_are_in_the_pixels_of_the_image_as_it_came(rotate: int, upright: Box) -> None:
    """A place found on the turned page is told on the page itself."""
    (part,) = recognise(page(block(LEFT, 30, 60), rotate=rotate))
    x0, y0, x1, y1 = upright
    width, height = (side / 72 * 150 for side in (420, 200))
    turned = {
        90: (height - y1, x0, height - y0, x1),
        180: (width - x1, height - y1, width - x0, height - y0),
        270: (y0, width - x1, y1, width - x0),
    }
    assert part.box == pytest.approx(turned[rotate], abs=8)


@pytest.fixture(scope="module")
def upright() -> Box:
    """Where the lines are found on the page that lies right."""
    (part,) = recognise(page(block(LEFT, 30, 60)))
    assert part.box is not None
    return part.box


def test_chinese_is_read() -> None:
    """Chinese sales material is half of what comes in."""
    parts = recognise(page(block(CHINESE, 30, 60), size=12))
    assert recall(CHINESE, parts) >= 0.94
    assert " " not in text_of(parts)


def test_a_table_keeps_its_rows() -> None:
    """A price stands beside its plan."""
    rows = [
        ("Plan", "Seats", "Price"),
        ("Team", "5", "40 EUR"),
        ("Company", "50", "35 EUR"),
        ("Group", "500", "30 EUR"),
    ]
    parts = recognise(
        page([(40 + 120 * j, 50 + 22 * i, cell) for i, row in enumerate(rows) for j, cell in enumerate(row)])
    )
    (table,) = parts
    assert [(cell.row, cell.column, cell.text) for cell in table.cells] == [
        (i, j, cell) for i, row in enumerate(rows) for j, cell in enumerate(row)
    ]


def test_a_blank_page_has_no_parts() -> None:
    """Nothing to read is no fault."""
    assert recognise(page([])) == []


@pytest.mark.parametrize("data", [b"", b"no image", page([])[:40]])
def test_what_is_no_image_is_corrupt(data: bytes) -> None:
    """Broken bytes are told from an empty page."""
    with pytest.raises(DocumentCorrupt):
        recognise(data)


@pytest.mark.anyio
async def test_it_reads_in_a_parser_process() -> None:
    """The event loop is free meanwhile; a page past its time is unavailable OCR, and the next one is read."""
    async with open_sandbox(1, 2 * 1024**3) as sandbox:
        with pytest.raises(OcrUnavailable, match="RapidOCR"):
            await rapid_reader(sandbox, 0.01)(page(block(LEFT, 30, 60)))
        parts = await rapid_reader(sandbox, 120)(page(block(LEFT, 30, 60)))
    assert [part.text for part in parts] == [" ".join(LEFT)]
