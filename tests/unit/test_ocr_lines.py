"""Recognised lines become parts in reading order: columns, paragraphs, headings, lists, tables."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.document import Box
from ingestion.ocr.lines import parts_of
from ingestion.ocr.segment import Line, Point
from tests.unit.found_lines import (
    LEFT,
    LEFT_TEXT,
    RIGHT,
    RIGHT_TEXT,
    ROWS,
    STEP,
    block,
    grid,
    line,
    told,
    told_rows,
)


def corners(first: Point, second: Point, third: Point, fourth: Point) -> tuple[Point, Point, Point, Point]:
    return first, second, third, fourth


def turned(lines: Sequence[Line], degrees: float) -> list[Line]:
    """About the upper left corner, as on a crooked scan."""
    turn = complex(math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))

    def point(at: Point) -> Point:
        there = complex(*at) * turn
        return Point(there.real, there.imag)

    return [each._replace(corners=corners(*map(point, each.corners))) for each in lines]


@pytest.mark.parametrize("degrees", [0, 2, -2])
def test_columns_are_read_one_after_the_other(degrees: float) -> None:
    """Lines at the same height in two columns are not run together, on a crooked page neither."""
    lines = [line("A title that spans both columns of the page, from left to right", 100, 40)]
    lines += [
        each for pair in zip(block(LEFT, 100, 120), block(RIGHT, 560, 120), strict=True) for each in pair
    ]
    lines += [line("And a line below that spans both columns, and ends the page so", 100, 320)]
    assert [text for _, text in told(parts_of(turned(lines, degrees)))] == [
        lines[0].text,
        LEFT_TEXT,
        RIGHT_TEXT,
        lines[-1].text,
    ]


def test_columns_with_paragraphs_at_the_same_heights_stay_columns() -> None:
    """White space that runs across both columns does not make rows of them."""
    lines = [*block(LEFT, 100, 100), *block(RIGHT, 560, 100), *block(LEFT, 100, 300), *block(RIGHT, 560, 300)]
    assert [text for _, text in told(parts_of(lines))] == [LEFT_TEXT, LEFT_TEXT, RIGHT_TEXT, RIGHT_TEXT]


def test_a_form_is_read_row_by_row() -> None:
    """A value follows its key, not all of the other keys."""
    keys, values = ["Name:", "Company:", "Seats:", "Country:"], ["Ana Ruiz", "Nordwind AG", "120", "Spain"]
    parts = parts_of([*block(keys, 100, 100), *block(values, 300, 100)])
    text = "\n".join(part.text for part in parts)
    assert [text.index(word) for pair in zip(keys, values, strict=True) for word in pair] == sorted(
        text.index(word) for word in [*keys, *values]
    )


def test_bullets_found_apart_from_their_text_stay_with_it() -> None:
    """A column of bullets is no column."""
    texts = [
        "Ask for the budget first of all",
        "Name the price once, and wait",
        "Write down what was agreed on",
        "Send it on the same day",
    ]
    lines = [*block(["•"] * 4, 100, 100), *block(texts, 140, 100)]
    assert told(parts_of(lines)) == [("list", "\n".join(f"• {text}" for text in texts))]


def test_paragraphs_end_where_a_line_was_ended_on_purpose() -> None:
    """By space, by an indent, or since the next word would have fitted: else they run on, hyphens mended."""
    lines = block(
        [
            "One paragraph runs on over its lines, and a word is cut by a hy-",
            "phen. It ends early.",
            "The second begins here since there was room for it above, and",
            "it ends here as well.",
        ],
        100,
        100,
    )
    lines += block(["    ", "A third stands apart from them."], 100, 250)
    assert told(parts_of(lines)) == [
        ("paragraph", "One paragraph runs on over its lines, and a word is cut by a hyphen. It ends early."),
        ("paragraph", "The second begins here since there was room for it above, and it ends here as well."),
        ("paragraph", "A third stands apart from them."),
    ]


def test_chinese_lines_are_joined_without_spaces() -> None:
    """A space inside a word would keep it from being found."""
    lines = block(["客户说价格太高的时候，先问清楚他拿什么来比较，再", "说明每年能够节省多少。"], 100, 100)
    assert told(parts_of(lines)) == [
        ("paragraph", "客户说价格太高的时候，先问清楚他拿什么来比较，再说明每年能够节省多少。")
    ]


def test_larger_letters_are_headings_of_two_levels() -> None:
    """Size is all that OCR sees of a heading; capitals of the body's size are none."""
    body = block(LEFT, 100, 240)
    lines = [
        line("Chapter 3", 100, 60, height=48),
        line("Section 2", 100, 180, height=34),
        *body,
        line("TERMS OF USE", 100, 420),
    ]
    parts = parts_of(lines)
    assert [(part.kind, part.level) for part in parts] == [
        ("heading", 1),
        ("heading", 2),
        ("paragraph", 0),
        ("paragraph", 0),
    ]


def test_aligned_cells_are_a_table_between_its_paragraphs() -> None:
    """Figures stay with their row and column; the text around the table is no part of it."""
    lines = [*block(LEFT, 100, 100), *grid(ROWS), *block(RIGHT, 100, 500)]
    parts = parts_of(lines)
    assert told(parts) == [("paragraph", LEFT_TEXT), ("table", told_rows(ROWS)), ("paragraph", RIGHT_TEXT)]
    assert all(cell.header == (cell.row == 0) for cell in parts[1].cells)


def test_an_empty_cell_moves_no_other() -> None:
    """A price without seats is still a price."""
    rows = [*ROWS[:2], ["Company", "", "35 EUR"], *ROWS[3:]]
    assert told(parts_of(grid(rows))) == [("table", told_rows(rows))]


def test_a_cell_of_two_lines_is_one_cell() -> None:
    """What runs over is no row of its own."""
    lines = [*grid(ROWS), line("by e-mail", 620, 300 + 40 * 3 + STEP)]
    assert told(parts_of(lines))[0][1].endswith("on request by e-mail |")


def test_two_aligned_columns_or_rows_are_no_table() -> None:
    """Less than three of either is too little to tell a table by."""
    assert all(kind != "table" for kind, _ in told(parts_of(grid([row[:2] for row in ROWS]))))
    assert all(kind != "table" for kind, _ in told(parts_of(grid(ROWS[:2]))))


def test_confidence_is_weighted_by_characters_and_boxes_hold_all_lines() -> None:
    """A short doubtful line does not spoil a long sure one; the box is in the image's own pixels."""
    lines = [line("a" * 30, 100, 100, confidence=1.0), line("b" * 10, 100, 130, confidence=0.6)]
    (part,) = parts_of(lines)
    assert part.confidence == pytest.approx(0.9)
    assert part.box == pytest.approx(Box(100, 100, 412, 156))


_PLACE = st.floats(0, 2_000)
_SIDE = st.floats(1, 600)


@given(st.lists(st.tuples(st.text("ab 价。-•1.", min_size=1), _PLACE, _PLACE, _SIDE, _SIDE), max_size=25))
def test_no_character_is_lost_wherever_lines_lie(found: list[tuple[str, float, float, float, float]]) -> None:
    """Engines find overlapping, tiny and huge boxes too: each line ends up in exactly one part."""
    lines = [
        Line(text, corners(Point(x, y), Point(x + w, y), Point(x + w, y + h), Point(x, y + h)), 0.9)
        for text, x, y, w, h in found
    ]
    parts = parts_of(lines)
    read = "".join("".join(cell.text for cell in part.cells) or part.text for part in parts)
    # A hyphen at a line's end is mended away.
    wanted, got = (
        Counter("".join(text.replace("-", "").split())) for text in ("".join(each[0] for each in found), read)
    )
    assert wanted == got
    assert all(part.box for part in parts)


def test_nothing_recognised_is_no_part() -> None:
    """A blank page is no error, nor are lines without text."""
    assert parts_of([]) == []
    assert parts_of([line("  ", 1, 1)]) == []
