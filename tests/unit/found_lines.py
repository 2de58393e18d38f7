"""Lines of a page as an engine finds them, for the tests of what is made of them."""

from __future__ import annotations

from collections.abc import Sequence

from ingestion.document import Part
from ingestion.ocr.segment import Line, Point
from ingestion.table import render_cells

HEIGHT = 26.0
STEP = 30.0
LEFT = [
    "the left column begins with",
    "a paragraph of four lines that",
    "fill their column as it is",
    "usual, to the end.",
]
RIGHT = [
    "and the right column stands at",
    "the same height as the left, so",
    "that an engine reads across it",
    "from line to line.",
]
LEFT_TEXT, RIGHT_TEXT = " ".join(LEFT), " ".join(RIGHT)
ROWS = [
    ["Plan", "Seats", "Price"],
    ["Team", "5", "40 EUR"],
    ["Company", "50", "35 EUR"],
    ["Group", "500", "on request"],
]


def line(text: str, x: float, y: float, *, height: float = HEIGHT, confidence: float = 0.99) -> Line:
    """As an engine finds it: letters half as wide as the box is high, Chinese characters four fifths."""
    width = sum(0.8 if char >= "\u2e80" else 0.4 for char in text) * height
    return Line(
        text,
        (Point(x, y), Point(x + width, y), Point(x + width, y + height), Point(x, y + height)),
        confidence,
    )


def block(texts: Sequence[str], x: float, y: float) -> list[Line]:
    return [line(text, x, y + STEP * i) for i, text in enumerate(texts)]


def grid(rows: Sequence[Sequence[str]], x: float = 100, y: float = 300, *, step: float = 40) -> list[Line]:
    """Cells in columns that begin 260 pixels apart; an empty one is not found."""
    return [
        line(text, x + 260 * j, y + step * i)
        for i, row in enumerate(rows)
        for j, text in enumerate(row)
        if text
    ]


def told(parts: Sequence[Part]) -> list[tuple[str, str]]:
    """Kinds and texts, of tables the Markdown."""
    return [(part.kind, part.text or render_cells(part.cells)) for part in parts]


def told_rows(rows: Sequence[Sequence[str]]) -> str:
    """The Markdown of a table of three columns."""
    head, *rest = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([head, "| --- | --- | --- |", *rest])
