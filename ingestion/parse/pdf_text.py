"""A page of running text, as MuPDF gives it: paragraphs, list items, headings by their size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ingestion.document import Box, Part
from ingestion.parse.lines import BULLET, begins_item, item, joined
from ingestion.parse.pdf_line import Line
from ingestion.parse.pdf_outline import Piece
from ingestion.parse.pdf_page import PdfPage
from ingestion.parse.pdf_ruled import Ruled, ruled_tables

_MARGIN = 0.08
"""Share of the page's height in which running heads and page numbers stand."""
_SAME_SIZE = 0.1
"""Share by which the sizes of lines of one paragraph may differ: small capitals, a formula."""
_MAX_MARK_CHARS = 6
_ENDS = ".:;!?。：；！？"


def pieces_of(page: PdfPage) -> Iterator[Piece]:
    """In the file's order, which a program that writes one column follows; ruled tables where they begin."""
    tables = ruled_tables(page) if page.shapes else []
    if not tables:
        yield from _paragraphs(page.lines, page)
        return
    placed: dict[Ruled, int] = {}
    outside: list[Line] = []
    for line in page.lines:
        table = next((table for table in tables if not line.hidden and table.holds(line.box)), None)
        if table is None:
            outside.append(line)
        else:
            placed.setdefault(table, len(outside))
    starts = [*placed.values(), len(outside)]
    yield from _paragraphs(outside[: starts[0]], page)
    for (table, start), end in zip(placed.items(), starts[1:], strict=True):
        yield Piece(Part("table", "", page=page.number, box=table.box, cells=table.cells))
        yield from _paragraphs(outside[start:end], page)


def _paragraphs(lines: Sequence[Line], page: PdfPage) -> Iterator[Piece]:
    for run in _runs(lines):
        yield piece_of(run, page)


def piece_of(lines: Sequence[Line], page: PdfPage) -> Piece:
    """Lines that belong together, as one paragraph or list item."""
    first = lines[-1] if _is_bare(lines[0]) else lines[0]
    text = _text(lines)
    box = around(lines)
    listed = begins_item(text)
    part = Part(
        "list" if listed else "paragraph",
        item(text) if listed else text,
        page=page.number,
        box=box,
        hidden=first.hidden,
    )
    marginal = box.y1 < page.height * _MARGIN or box.y0 > page.height * (1 - _MARGIN)
    # What runs up a margin is no heading, however large.
    size = first.size if first.level else 0.0
    return Piece(part, size, first.bold and all([line.bold for line in lines]), marginal)


def _text(lines: Sequence[Line]) -> str:
    if len(lines) > 1 and lines[0].mono and all([line.mono for line in lines]):
        return "\n".join(line.text.rstrip() for line in lines)
    return joined([line.text for line in lines])


def around(lines: Sequence[Line]) -> Box:
    """The box of all of them; at least one."""
    box = lines[0].box
    if len(lines) == 1:
        return box
    lefts, tops, rights, bottoms = zip(*[line.box for line in lines], strict=True)
    return Box(min(lefts), min(tops), max(rights), max(bottoms))


def _runs(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Lines of one paragraph or list item."""
    run: list[Line] = []
    for line in lines:
        text = line.text.strip()
        if not text:
            continue
        if run and (begins_item(text) or not _goes_on(run, line)):
            if len(run) > 1 or not _is_bare(run[0]):
                yield run
                run = []
        run.append(line)
    if run:
        yield run


def _is_bare(line: Line) -> bool:
    """Whether it is the mark of a list item, which MuPDF gives a line of its own before a wide gap."""
    return len(line.text) <= _MAX_MARK_CHARS and BULLET.fullmatch(line.text.strip()) is not None


def _goes_on(run: Sequence[Line], line: Line) -> bool:
    last = run[-1]
    same = last.block == line.block and last.size == line.size
    if same and last.bold == line.bold and last.hidden == line.hidden:
        return True
    if last.hidden != line.hidden or abs(last.size - line.size) > last.size * _SAME_SIZE:
        return False
    changes = last.bold != line.bold and (last.bold or last.text.rstrip()[-1:] in _ENDS)
    if changes and not BULLET.match(run[0].text.lstrip()):
        return False
    if last.block == line.block:
        return True
    # MuPDF begins a block where lines are set wide, too: a sentence in the same column goes on.
    below = 0 <= line.box.y0 - last.box.y1 <= line.size
    starts_lower = line.text.lstrip()[:1].islower()
    return below and starts_lower and abs(last.box.x0 - line.box.x0) <= line.size
