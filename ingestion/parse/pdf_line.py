"""The lines of a PDF page, from PyMuPDF's spans."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from ingestion.document import Box
from ingestion.parse.pdf_hidden import OnPage
from ingestion.parse.pdf_upright import STRAIGHT

_BOLD, _MONO = 16, 8
"""PyMuPDF's TEXT_FONT_BOLD and TEXT_FONT_MONOSPACED."""


class Line(NamedTuple):
    """Text that stands on one line, without a wide gap in it."""

    box: Box
    text: str
    size: float
    """Of its longest run, in points, to a half."""
    base: float
    """The y of its baseline: on a row the same for all fonts."""
    block: int
    """MuPDF's paragraph, counted in the order of drawing."""
    bold: bool
    """From its first run to its last."""
    mono: bool
    level: bool
    """Whether it runs from left to right."""
    hidden: str = ""
    """As `Part.hidden`."""
    unseen: bool = False
    """Invisible, but over a picture whose text it spells out: a layer that somebody's OCR wrote."""


def lines_of(
    block: dict[str, Any], on_page: OnPage, why_hidden: Callable[[dict[str, Any], int], str]
) -> Iterator[Line]:
    """Of PyMuPDF's block; a line whose parts differ in being hidden becomes several."""
    number = block["number"]
    for line in block["lines"]:
        spans, box = line["spans"], line["bbox"]
        level = line["dir"][0] > STRAIGHT
        if on_page.is_plain(box, spans, number):
            yield _line(box, spans, number, level)
            continue
        reasons = [why_hidden(span, number) for span in spans]
        for reason in dict.fromkeys(reasons):
            chosen = [span for span, why in zip(spans, reasons, strict=True) if why == reason]
            yield _line(_around(chosen), chosen, number, level, reason)


def _line(box: Sequence[float], spans: Sequence[Any], block: int, level: bool, hidden: str = "") -> Line:
    first = spans[0]
    text, flags = first["text"], first["flags"]
    if len(spans) > 1:
        texts = [span["text"] for span in spans]
        text = "".join(texts)
        first = spans[texts.index(max(texts, key=len))]
        flags &= spans[-1]["flags"] & first["flags"]
    size, base = round(first["size"] * 2) / 2, first["origin"][1]
    bold, mono = flags & _BOLD > 0, flags & _MONO > 0
    # The constructors that NamedTuple makes take twice as long, which is a tenth of reading a line.
    place = tuple.__new__(Box, box)
    return tuple.__new__(Line, (place, text, size, base, block, bold, mono, level, hidden, False))


def _around(spans: Sequence[Any]) -> Sequence[float]:
    lefts, tops, rights, bottoms = zip(*(span["bbox"] for span in spans), strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)
