"""The parsed document: one text, and typed blocks that are slices of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ingestion.language import Language, language_of
from ingestion.table import Cell, render_cells

Kind = Literal["heading", "paragraph", "list", "table", "figure"]

_GAP = "\n\n"
_MAX_TITLE_CHARS = 80
_DROPPED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\ufeff]")
_LINE_ENDS = re.compile(r"\r\n?|[\u2028\u2029]")


class Box(NamedTuple):
    """A place on a page, in points (1/72 inch) from its upper left corner; of an image, in pixels."""

    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True)
class Block:
    """A slice of a document: `document.text[start:end] == text`, never empty."""

    kind: Kind
    text: str
    """A table is Markdown rows: the header, a `---` row, then a line each. A figure is its caption."""
    start: int
    end: int
    level: int = 0
    """1 to 6 for a heading, 0 for all else."""
    page: int | None = None
    """1-based page or slide; None where the format has none."""
    section: str = ""
    """Heading path, `Objections > Price`, or sheet and cell range, `Plans!A2:F9`."""
    language: Language = "und"
    box: Box | None = None
    cells: tuple[Cell, ...] = ()
    """Of a table, row by row."""
    confidence: float | None = None
    """Of the characters, in [0, 1], where OCR read them."""


@dataclass(frozen=True)
class Hidden:
    """Text that a reader of the page does not see, which is how instructions are smuggled in."""

    text: str
    page: int | None
    why: str
    """`white on white`, `zero size`, `off the page`, …"""


@dataclass(frozen=True)
class Document:
    """What a parser returns: blocks in reading order, which do not overlap and hold all of the text."""

    name: str
    text: str
    blocks: tuple[Block, ...]
    pages: int | None = None
    notes: tuple[str, ...] = ()
    """What the reader of the result should know, `repaired: …`."""
    hidden: tuple[Hidden, ...] = ()
    """Kept apart: neither in `text` nor in `blocks`."""


@dataclass(frozen=True)
class Part:
    """A block as a parser finds it, before it has its place in the text."""

    kind: Kind
    text: str
    """Of a table with `cells`, "" has it made from them."""
    level: int = 0
    page: int | None = None
    section: str | None = None
    """None takes the path of the headings above."""
    box: Box | None = None
    cells: tuple[Cell, ...] = ()
    confidence: float | None = None
    hidden: str = ""
    """Why no reader sees it; "" for what can be seen."""


def assemble(
    name: str, parts: Iterable[Part], *, pages: int | None = None, notes: tuple[str, ...] = ()
) -> Document:
    """The document of `parts` joined by blank lines; parts without text are left out."""
    blocks: list[Block] = []
    texts: list[str] = []
    hidden: list[Hidden] = []
    headings: list[tuple[int, str]] = []
    at = 0
    for part in parts:
        cells = tuple(cell._replace(text=clean(cell.text)) for cell in part.cells)
        text = clean(part.text) or render_cells(cells)
        if not text:
            continue
        if part.hidden:
            hidden.append(Hidden(text, part.page, part.hidden))
            continue
        if part.kind == "heading":
            headings = [h for h in headings if h[0] < part.level] + [(part.level, _title(text))]
        section = " > ".join(title for _, title in headings) if part.section is None else part.section
        end = at + len(text)
        blocks.append(
            Block(
                kind=part.kind,
                text=text,
                start=at,
                end=end,
                level=part.level,
                page=part.page,
                section=section,
                language=language_of(text),
                box=part.box,
                cells=cells,
                confidence=part.confidence,
            )
        )
        texts.append(text)
        at = end + len(_GAP)
    return Document(name, _GAP.join(texts), tuple(blocks), pages, notes, tuple(hidden))


def clean(text: str) -> str:
    """NFC, lines ending in `\\n`; no control characters, soft hyphens, byte order marks, lone surrogates."""
    text = _DROPPED.sub("", _LINE_ENDS.sub("\n", text)).encode("utf-8", "ignore").decode()
    return unicodedata.normalize("NFC", text).strip()


def _title(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MAX_TITLE_CHARS else line[: _MAX_TITLE_CHARS - 1] + "…"
