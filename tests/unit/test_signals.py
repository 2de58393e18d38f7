"""What a page's signals say of pages whose layout is known."""

from __future__ import annotations

import pymupdf
import pytest

from ingestion.parse.pdf_page import look_at
from ingestion.signals import Signals, signals_of
from tests.unit.tiny_pdf import Line, tiny_pdf

SENTENCE = "The fee for every seat is due thirty days after the invoice was sent"


def signals(data: bytes) -> Signals:
    """Of the first page."""
    return signals_of(look_at(pymupdf.open(stream=data)[0]))


def picture(width: int, height: int) -> bytes:
    """A grey PNG."""
    return bytes(pymupdf.Pixmap(pymupdf.csGRAY, pymupdf.IRect(0, 0, width, height)).tobytes("png"))


def test_running_text() -> None:
    """A contract's page must not look like a table or like columns."""
    found = signals(tiny_pdf([[Line(SENTENCE, y=700 - 14 * n) for n in range(20)]]))
    assert found.rows == 20 and found.words == 20 * len(SENTENCE.split())
    assert found.tabular == found.paired == found.columns == found.image_share == 0.0
    assert found.chars == 20 * len(SENTENCE.replace(" ", ""))


def test_rows_with_gaps_are_tabular() -> None:
    """Three columns are a table, two a list of pairs; without a single rule."""
    rows = [Line("cell", x=60 + 150 * x, y=700 - 20 * y) for y in range(10) for x in range(3)]
    pairs = [Line("name", x=60, y=400 - 20 * y) for y in range(10)]
    pairs += [Line("value", x=300, y=400 - 20 * y) for y in range(10)]
    found = signals(tiny_pdf([rows + pairs]))
    assert (found.rows, found.tabular, found.paired) == (20, 0.5, 1.0)


def test_columns_of_spaces_are_tabular() -> None:
    """Terminals and typewriters align tables with spaces, within one line of text."""
    found = signals(tiny_pdf([[Line("Team      39      yes", y=700 - 20 * y) for y in range(5)]]))
    assert found.tabular == 1.0


def test_columns_side_by_side() -> None:
    """A page of two columns needs a reader that knows their order."""
    left = [Line("Text of the left column here", y=700 - 12 * n) for n in range(30)]
    right = [Line("Text of the right column here", x=320, y=700 - 12 * n) for n in range(30)]
    assert signals(tiny_pdf([left + right])).columns > 0.3


def test_rules_are_counted_by_direction() -> None:
    """A frame counts as two of each; an underlining is no vertical rule."""
    frame = "50 600 200 50 re S"
    rules = ["50 500 m 250 500 l S", "100 400 m 100 480 l S", frame]
    found = signals(tiny_pdf([[Line(SENTENCE)]], rules=rules))
    assert (found.horizontal, found.vertical) == (3, 3)


def test_a_scan_with_a_layer_of_text() -> None:
    """The text of somebody's OCR lies unseen over the picture; a caption does not."""
    document = pymupdf.open()
    page = document.new_page()
    page.insert_image(page.rect, stream=picture(200, 280))
    page.insert_text((60, 100), SENTENCE, render_mode=3)
    found = signals(document.tobytes())
    assert found.image_share == found.under_share == 1.0 and found.largest_image > 0.98


def test_text_under_a_picture_is_unseen() -> None:
    """Other scanners draw the text first and the picture over it."""
    document = pymupdf.open()
    page = document.new_page()
    page.insert_text((60, 100), SENTENCE)
    page.insert_image(page.rect, stream=picture(200, 280), overlay=True)
    assert signals(document.tobytes()).under_share == 1.0


def test_a_small_picture_covers_its_share() -> None:
    """Pictures that overlap count once."""
    document = pymupdf.open()
    page = document.new_page(width=400, height=400)
    page.insert_text((20, 380), SENTENCE)
    for _ in range(2):
        page.insert_image(pymupdf.Rect(0, 0, 200, 200), stream=picture(40, 40))
    found = signals(document.tobytes())
    assert found.image_share == pytest.approx(0.25, abs=0.03) and found.under_share == 0.0


def test_characters_without_meaning() -> None:
    """A font without a usable map gives private characters; such a page is read by OCR."""
    document = pymupdf.open()
    page = document.new_page()
    page.insert_font(fontname="F0", fontbuffer=pymupdf.Font("cjk").buffer)
    page.insert_text((60, 100), "ab\ufffdd", fontname="F0")
    assert signals(document.tobytes()).bad_share == pytest.approx(0.25)


def test_an_empty_page() -> None:
    """Nothing divides by nothing."""
    found = signals(tiny_pdf([[]]))
    assert found.words == found.chars == found.rows == 0
