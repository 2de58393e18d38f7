"""What tells columns from rows, tables from columns, paragraphs from each other: a case for each limit."""

from __future__ import annotations

import math
from collections.abc import Sequence

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

FULL = [
    "every line of this one is set as",
    "wide as its column allows it, so",
    "that none of them says where the",
]
"""Of the same length: no line is one that was ended on purpose."""


def texts(lines: Sequence[Line]) -> list[str]:
    return [text for _, text in told(parts_of(lines))]


def test_columns_a_line_apart() -> None:
    """A gutter as wide as a line is high parts two columns; newspapers have no more."""
    right = 100 + 0.4 * 26 * max(map(len, LEFT)) + 28
    assert texts([*block(LEFT, 100, 100), *block(RIGHT, right, 100)]) == [LEFT_TEXT, RIGHT_TEXT]


def test_two_lines_are_no_columns() -> None:
    """The head of a letter says one thing on the left and another on the right, line by line."""
    left = ["Invoice number 2026-114 of May", "Payable within thirty days net"]
    right = ["Customer number 8813 in Spain", "Delivered to the store in Lyon"]
    text = "\n".join(texts([*block(left, 100, 100), *block(right, 560, 100)]))
    places = [text.index(each) for each in (left[0], right[0], left[1], right[1])]
    assert places == sorted(places)


def test_words_in_the_margin_of_a_text() -> None:
    """Prose is read through, whatever stands beside it at the height of its lines."""
    prose = [*FULL, *FULL]
    margin = ["Aims", "Tools", "Risks", "Costs", "Plan", "End"]
    text = "\n".join(texts([*block(margin, 100, 100), *block(prose, 300, 100)]))
    assert " ".join(prose) in text


def test_a_line_found_in_two_pieces() -> None:
    """A wide space within a line does not part the paragraph around it."""
    whole = [line("The first line of it is one that goes all of the way", 100, 100)]
    whole += [line("the second was found", 100, 130), line("in two pieces of this width", 360, 130)]
    whole += [line("and the third is one that goes all of the way as well", 100, 160)]
    assert texts(whole) == [" ".join(each.text for each in whole)]


def test_what_stands_lower_is_read_later() -> None:
    """Text at the left is no column to what ends where it begins, and is not read first."""
    lines = [*block(RIGHT, 560, 100), *block(LEFT, 100, 100 + 3 * STEP)]
    text = "\n".join(texts(lines))
    assert text.index(RIGHT[0]) < text.index(LEFT[0])


def test_a_title_whose_box_reaches_into_the_columns() -> None:
    """Engines draw boxes higher than the ink: what overlaps by a little still stands above."""
    title = line("A title across the columns of this page here", 100, 86, height=34)
    assert texts([title, *block(LEFT, 100, 116), *block(RIGHT, 560, 116)]) == [
        title.text,
        LEFT_TEXT,
        RIGHT_TEXT,
    ]


def test_three_columns_of_a_newspaper_are_no_table() -> None:
    """However close they stand, their lines are sentences and no cells."""
    width = 0.4 * 26 * len(FULL[0]) + 8
    lines = [each for i in range(3) for each in block(FULL, 100 + i * width, 100)]
    assert all(kind != "table" for kind, _ in told(parts_of(lines)))


def test_figures_below_a_cell_are_a_row_of_their_own() -> None:
    """A second price is none that runs over two lines."""
    rows = [*ROWS[:2], ["", "", "38 EUR"], *ROWS[2:]]
    assert told(parts_of(grid(rows))) == [("table", told_rows(rows))]


def test_two_cells_below_are_a_row_of_their_own() -> None:
    """What runs over is in fewer than half of the columns."""
    rows = [*ROWS[:2], ["", "many", "by e-mail"], *ROWS[2:]]
    assert told(parts_of(grid(rows))) == [("table", told_rows(rows))]


def test_a_cell_far_below_is_a_row_of_its_own() -> None:
    """What runs over stands close."""
    rows = [*ROWS[:2], ["", "", "by e-mail"], *ROWS[2:]]
    assert told(parts_of(grid(rows, step=60))) == [("table", told_rows(rows))]


def test_a_header_over_two_columns() -> None:
    """A price under a header that spans belongs to it."""
    head = [line("Plan", 100, 260), line("Seats and their price, by year", 360, 260)]
    (table,) = parts_of([*head, *grid(ROWS)])
    assert [(cell.text, cell.column, cell.column_span) for cell in table.cells if cell.row == 0] == [
        ("Plan", 0, 1),
        ("Seats and their price, by year", 1, 2),
    ]


def test_two_tables_with_space_between() -> None:
    """The second has a header of its own."""
    tables = told(parts_of([*grid(ROWS), *grid(ROWS, y=600)]))
    assert tables == [("table", told_rows(ROWS))] * 2


def test_two_tables_with_a_title_between() -> None:
    """Larger letters begin something new, though no more space is there than between rows."""
    title = line("Prices abroad", 100, 460, height=34)
    assert told(parts_of([*grid(ROWS), title, *grid(ROWS, y=500)])) == [
        ("table", told_rows(ROWS)),
        ("heading", "Prices abroad"),
        ("table", told_rows(ROWS)),
    ]


def test_cells_whose_boxes_touch() -> None:
    """Boxes are wider than the ink: columns that overlap by a few pixels are two."""
    rows = [[row[0], "y" * 25 if i == 1 else row[1], row[2]] for i, row in enumerate(ROWS)]
    assert told(parts_of(grid(rows))) == [("table", told_rows(rows))]


def test_a_cell_found_in_two_pieces_makes_no_column() -> None:
    """A table has as many columns as most of its rows."""
    pieces = [line("on", 620, 460), line("request", 672, 460)]
    (part,) = parts_of([*grid(ROWS[:4]), *grid([["Trust", "900", ""]], y=460), *pieces])
    assert max(cell.column for cell in part.cells) == 2
    assert part.cells[-1].text == "on request"


def test_an_indent_begins_a_paragraph() -> None:
    """Where every line is full, it is all that says so."""
    lines = block([*FULL, *FULL], 100, 100)
    lines[3] = line(FULL[0][6:], 100 + 6 * 0.4 * 26, 100 + 3 * STEP)
    assert texts(lines) == [" ".join(FULL), " ".join([FULL[0][6:], *FULL[1:]])]


def test_space_ends_a_paragraph() -> None:
    """Half a line more than usual is enough."""
    lines = [*block(FULL, 100, 100), *block(FULL, 100, 100 + 3.5 * STEP)]
    assert texts(lines) == [" ".join(FULL)] * 2


def test_large_letters_that_are_no_heading() -> None:
    """A sentence that goes on in small letters, or one too long to be a title."""
    body = block([*LEFT, *LEFT], 100, 300)
    small = line("and more of this to come", 100, 100, height=40)
    assert parts_of([small, *body])[0].kind == "paragraph"
    long = line("An introduction in large letters that runs on and on " * 3, 100, 100, height=40)
    assert parts_of([long, *body])[0].kind == "paragraph"
    assert parts_of([line(long.text[:50], 100, 100, height=40), *body])[0].kind == "heading"


def test_crooked_specks_do_not_turn_the_page() -> None:
    """Only long lines say how a page lies; bullets and stamps lie as they like."""
    turn = complex(math.cos(0.5), math.sin(0.5))
    specks = []
    for i in range(9):
        corner = complex(900, 100 + 60 * i)
        around = [corner + turn * side for side in (0, 30, 30 + 26j, 26j)]
        first, second, third, fourth = (Point(at.real, at.imag) for at in around)
        specks.append(Line("o", (first, second, third, fourth), 0.99))
    assert " ".join(LEFT) in texts([*block(LEFT, 100, 100), *specks])
