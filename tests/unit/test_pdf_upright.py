"""PDF pages that are rotated, or drawn on their side, are read like the same page upright."""

from __future__ import annotations

from collections.abc import Sequence

import pymupdf
import pytest

from ingestion.document import Box, Part
from ingestion.options import ReadOptions, Thresholds
from ingestion.parse.pdf import parse
from ingestion.parse.pdf_page import look_at
from ingestion.route import route_pdf
from tests.unit.tiny_pdf import Line, tiny_pdf

WIDTH, HEIGHT = 595, 842
PROSE = [
    Line("Terms", 18, y=780),
    *[Line(f"{n} The fee is due thirty days after the invoice", y=700 - 14 * n) for n in range(14)],
]
COLUMNS = [
    Line(f"Text {n} of a column stands here", x=x, y=700 - 12 * n) for x in (60, 320) for n in range(30)
]
TABLE = [Line(f"cell {x} {y}", x=60 + 150 * x, y=700 - 20 * y) for y in range(14) for x in range(3)]
ROTATIONS = [90, 180, 270]
_AGAINST = {90: f"0 1 -1 0 {HEIGHT} 0", 180: f"-1 0 0 -1 {WIDTH} {HEIGHT}", 270: f"0 -1 1 0 0 {WIDTH}"}
"""Matrices that turn the content against the page's rotation."""


def pdf(lines: Sequence[Line], rotation: int, *, upright: bool = False, crop: str = "") -> bytes:
    """One page, shown with that rotation; `upright` has its content drawn so that it can be read then."""
    document = pymupdf.open(stream=tiny_pdf([lines]))
    page = document[0]
    if upright:
        content = page.get_contents()[0]
        turned = f"{_AGAINST[rotation]} cm ".encode() + document.xref_stream(content)
        document.update_stream(content, turned)
        page.set_mediabox((0, 0, HEIGHT, WIDTH) if rotation != 180 else (0, 0, WIDTH, HEIGHT))
    if crop:
        document.xref_set_key(page.xref, "CropBox", crop)
    page.set_rotation(rotation)
    return bytes(document.tobytes())


def parts(data: bytes) -> list[Part]:
    """Of its pages."""
    return [item for item in parse(data, "r.pdf", ReadOptions()).items if isinstance(item, Part)]


def shown(box: Box, rotation: int) -> Box:
    """Where a place of the page without rotation is seen on the rotated one."""
    quad = pymupdf.Rect(box) * pymupdf.Matrix(rotation)
    x, y = {90: (HEIGHT, 0), 180: (WIDTH, HEIGHT), 270: (0, WIDTH)}[rotation]
    return Box(quad.x0 + x, quad.y0 + y, quad.x1 + x, quad.y1 + y)


@pytest.mark.parametrize("rotation", ROTATIONS)
@pytest.mark.parametrize("upright", [True, False])
@pytest.mark.parametrize(("lines", "level"), [(PROSE, "LOW"), (COLUMNS, "MEDIUM"), (TABLE, "HIGH")])
def test_the_class_of_a_rotated_page(lines: Sequence[Line], level: str, upright: bool, rotation: int) -> None:
    """A price list that lies on its side is as hard to read as one that does not."""
    route = route_pdf(pymupdf.open(stream=pdf(lines, rotation, upright=upright)), Thresholds())
    assert route.level == level


@pytest.mark.parametrize("rotation", ROTATIONS)
def test_a_page_that_reads_upright_when_rotated(rotation: int) -> None:
    """Scanners and printers rotate pages whose content they drew the other way."""
    assert parts(pdf(PROSE, rotation, upright=True)) == parts(pdf(PROSE, 0))


@pytest.mark.parametrize(
    ("lines", "rotation"), [(PROSE, 90), (PROSE, 180), (PROSE, 270), (COLUMNS, 90), (TABLE, 270)]
)
def test_a_page_that_lies_on_its_side(lines: Sequence[Line], rotation: int) -> None:
    """Headings, columns and tables are found as if it stood; boxes are where the reader sees the text."""
    straight, turned = parts(pdf(lines, 0)), parts(pdf(lines, rotation))
    assert [(part.kind, part.text, part.cells) for part in turned] == [
        (part.kind, part.text, part.cells) for part in straight
    ]
    for one, other in zip(straight, turned, strict=True):
        assert one.box and other.box == pytest.approx(shown(one.box, rotation), abs=0.01)


@pytest.mark.parametrize("rotation", ROTATIONS)
@pytest.mark.parametrize(
    "crop", ["[20 30 580 800]", "[20 30 999 999]", "[-9 -9 999 999]", "[700 900 800 999]"]
)
def test_a_rotated_page_with_a_crop_box(crop: str, rotation: int) -> None:
    """Its origin is the corner of what is shown, not of the sheet; nothing on it counts as cut off."""
    page = look_at(pymupdf.open(stream=pdf(PROSE, rotation, crop=crop))[0])
    straight = look_at(pymupdf.open(stream=pdf(PROSE, 0, crop=crop))[0])
    assert (page.width, page.height) == (straight.width, straight.height)
    assert [line.hidden for line in page.lines] == [line.hidden for line in straight.lines]
    for one, other in zip(straight.lines, page.lines, strict=True):
        assert one.box == pytest.approx(other.box, abs=0.01)


def test_a_label_on_its_side_does_not_turn_the_page() -> None:
    """Slides bear a date up their margin, and drawings the names of axes."""
    document = pymupdf.open(stream=tiny_pdf([PROSE]))
    document[0].insert_text(
        (20, 800), "A long label that runs up the margin of the page, with a date", rotate=90
    )
    document.new_page().insert_text((20, 800), "Confidential", rotate=90)
    pages = [look_at(document[number]) for number in range(2)]
    assert [page.turned for page in pages] == [None, None]
