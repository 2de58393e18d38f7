"""DeepSeek-OCR's Markdown becomes parts, however much of it arrives."""

from __future__ import annotations

import pytest

from ingestion.document import Box, Part
from ingestion.ocr.deepseek_markdown import is_empty, parts_of_markdown
from ingestion.ocr.html_table import cells_of_html
from ingestion.table import Cell

PAGE = """<|ref|>title<|/ref|><|det|>[[111, 111, 444, 222]]<|/det|>
# Price list 2026

<|ref|>text<|/ref|><|det|>[[111, 230, 888, 300]]<|/det|>
All prices are net.
They hold until June.

<|ref|>sub_title<|/ref|><|det|>[[111, 310, 333, 330]]<|/det|>
## 套餐

<|ref|>text<|/ref|><|det|>[[111, 340, 888, 360]]<|/det|>
- Team, from 5 seats

<|ref|>text<|/ref|><|det|>[[111, 360, 888, 380]]<|/det|>
- Company, from 50 seats

<|ref|>image<|/ref|><|det|>[[111, 400, 555, 600]]<|/det|>

<|ref|>image_caption<|/ref|><|det|>[[111, 610, 555, 630]]<|/det|>
<center>Figure 1: Seats by plan</center>

<|ref|>table<|/ref|><|det|>[[111, 650, 888, 888]]<|/det|>
<table><tr><td rowspan="2">Plan</td><td colspan="2">Price</td></tr><tr><td>Month</td><td>Year</td></tr>\
<tr><td>R&amp;D</td><td>40</td><td>400</td></tr></table>
<｜end▁of▁sentence｜>"""


def read(text: str) -> list[Part]:
    return parts_of_markdown(text, 999, 1998)


def test_blocks_become_parts_in_their_order() -> None:
    """Headings with level, paragraphs, lists, figures and tables are told apart, and no tag stays in them."""
    assert [(part.kind, part.level, part.text) for part in read(PAGE)] == [
        ("heading", 1, "Price list 2026"),
        ("paragraph", 0, "All prices are net.\nThey hold until June."),
        ("heading", 2, "套餐"),
        ("list", 0, "- Team, from 5 seats\n- Company, from 50 seats"),
        ("figure", 0, "Figure 1: Seats by plan"),
        ("table", 0, ""),
    ]


def test_places_are_scaled_to_the_images_pixels() -> None:
    """A block's box is where it stands on the page; a list's and a figure's hold all of their blocks."""
    boxes = {part.kind: part.box for part in read(PAGE)}
    assert boxes["table"] == Box(111, 1300, 888, 1776)
    assert boxes["list"] == Box(111, 680, 888, 760)
    assert boxes["figure"] == Box(111, 800, 555, 1260)


def test_a_table_keeps_its_spans() -> None:
    """A price under two headers belongs to both."""
    assert read(PAGE)[-1].cells == (
        Cell(0, 0, "Plan", row_span=2, header=True),
        Cell(0, 1, "Price", column_span=2, header=True),
        Cell(1, 1, "Month"),
        Cell(1, 2, "Year"),
        Cell(2, 0, "R&D"),
        Cell(2, 1, "40"),
        Cell(2, 2, "400"),
    )


@pytest.mark.parametrize("length", range(0, len(PAGE), 7))
def test_a_cut_off_end_costs_only_itself(length: int) -> None:
    """At whatever character the answer breaks off, what stands before is read, without bits of tags."""
    parts = read(PAGE[:length])
    whole = [part.text for part in read(PAGE)]
    assert [part.text for part in parts[:-1]] == whole[: max(len(parts) - 1, 0)]
    texts = [part.text for part in parts] + [cell.text for part in parts for cell in part.cells]
    assert not any(sign in text for text in texts for sign in ("<", "|", "｜", "[["))


def test_a_table_below_its_caption_keeps_its_own_place() -> None:
    """The model puts such a table into the caption's block, after an empty one with the table's place."""
    tag = "<|ref|>{}<|/ref|><|det|>[[0, {}, 999, {}]]<|/det|>\n{}\n"
    cells = "<table><tr><td>Plan</td></tr><tr><td>Team</td></tr></table>"
    caption, table = read(
        tag.format("table", 200, 600, "")
        + tag.format("table_caption", 100, 150, f"Table 1: Plans\n\n{cells}")
    )
    assert (caption.kind, caption.text, caption.box) == ("paragraph", "Table 1: Plans", Box(0, 200, 999, 300))
    assert (table.kind, len(table.cells), table.box) == ("table", 2, Box(0, 400, 999, 1200))
    text, alone = read(tag.format("table", 200, 600, "") + tag.format("text", 700, 750, f"So:\n\n{cells}"))
    assert text.box == alone.box == Box(0, 1400, 999, 1500)


@pytest.mark.parametrize(
    ("text", "empty"),
    [
        ("", True),
        (" \n<｜end▁of▁sentence｜>", True),
        ("<|ref|>image<|/ref|><|det|>[[0, 0, 9, 9]]<|/det|>", False),
    ],
)
def test_an_empty_answer_is_told_from_a_page_without_text(text: str, empty: bool) -> None:
    """A page with nothing but a picture is described, by the picture's place; a fault says nothing."""
    assert is_empty(text) == empty and read(text) == []


def test_text_without_labels_is_markdown() -> None:
    """A model that leaves its labels out is still read, without boxes."""
    text = "# Terms\nNet 30 days.\n\n1. Sign\n2. Pay\n\n| a | b |\n|---|---|\n| 1 | 2 |"
    assert [(part.kind, part.text, part.box) for part in read(text)] == [
        ("heading", "Terms", None),
        ("paragraph", "Net 30 days.", None),
        ("list", "1. Sign\n2. Pay", None),
        ("table", "| a | b |\n|---|---|\n| 1 | 2 |", None),
    ]


def test_a_picture_without_a_caption_is_no_part() -> None:
    """A logo says nothing, and lends its place to no later caption."""
    tags = "<|ref|>{}<|/ref|><|det|>[[{}, 0, 999, 999]]<|/det|>\n{}\n"
    text = (
        tags.format("image", 0, "")
        + tags.format("text", 1, "Between.")
        + tags.format("image_caption", 2, "A")
    )
    assert [(part.kind, part.box) for part in read(text)] == [
        ("paragraph", Box(1, 0, 999, 1998)),
        ("figure", Box(2, 0, 999, 1998)),
    ]


def test_an_empty_block_lends_its_place_to_its_own_caption_only() -> None:
    """A table that the model left empty is no part of the picture below it."""
    tags = "<|ref|>{}<|/ref|><|det|>[[{}, 0, 999, 999]]<|/det|>\n{}\n"
    text = tags.format("table", 0, "") + tags.format("image_caption", 2, "A")
    assert [(part.kind, part.box) for part in read(text)] == [("figure", Box(2, 0, 999, 1998))]


@pytest.mark.parametrize("place", ["", "[[1, 2]]", "[[a, b, c, d]]", "[[5000, -3, 10"])
def test_a_place_that_is_none_costs_only_the_box(place: str) -> None:
    """Coordinates are the model's invention: they are read as numbers and never evaluated."""
    text = f"<|ref|>text<|/ref|><|det|>{place}<|/det|>\nHello."
    assert [(part.text, part.box) for part in read(text)] == [("Hello.", None)]


def test_places_outside_the_page_are_held_to_it() -> None:
    """A box never reaches past the image."""
    text = "<|ref|>text<|/ref|><|det|>[[-5, 0, 2000, 999]]<|/det|>\nHello."
    assert read(text)[0].box == Box(0, 0, 999, 1998)


@pytest.mark.parametrize(
    ("html", "texts"),
    [
        ("<table><tr><td>a<td>b</td></td></tr></table>", ["a", "b"]),
        ("<table><td>a</td></table>", ["a"]),
        ("<table><tr><td>a<br>b</td></tr><tr></tr><tr><td>c", ["a b", "c"]),
        ('<table><tr><td rowspan="0" colspan="x">a</td><td>b</td></tr></table>', ["a", "b"]),
    ],
)
def test_broken_tables_are_read_as_far_as_they_go(html: str, texts: list[str]) -> None:
    """Tags that models forget or double lose no cell."""
    assert [cell.text for cell in cells_of_html(html)] == texts


def test_a_span_is_held_within_the_table() -> None:
    """A row of a million columns is a number that costs nothing to write and all memory to fill."""
    cells = cells_of_html('<table><tr><td colspan="99999" rowspan="99999">a</td><td>b</td></tr></table>')
    assert cells == (Cell(0, 0, "a", row_span=1, column_span=200, header=True),)
