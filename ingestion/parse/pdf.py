"""PDF: each page by the reader of its class; pages that no reader reads well become scans."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from typing import Any

from ingestion.document import Part
from ingestion.options import ReadOptions
from ingestion.parse import pdf_docling, pdf_layout, pdf_text
from ingestion.parse.collector import collector_paused
from ingestion.parse.pdf_left_out import Beside, left_out
from ingestion.parse.pdf_open import forget, opened
from ingestion.parse.pdf_outline import Piece, outlined
from ingestion.parse.pdf_page import PdfPage, glance_at, refuse_large_images, settled
from ingestion.parse.pdf_upright import Turn
from ingestion.parsed import LEVELS, Level, Parsed, Route, Scan
from ingestion.quality import quality_of, shortfall
from ingestion.route import PdfRoute, level_of, route_pdf
from ingestion.signals import signals_of
from runtime.errors import DocumentError

_BATCH = 16
"""Pages that are held at once, and given to the layout model in one call."""
_BATCHES_KEPT = 8
"""After so many MuPDF forgets what it keeps of them: with a large font each the pages would fill memory."""
_SAMPLE_CHARS = 500
_MAX_NAMED = 8


def parse(data: bytes, name: str, options: ReadOptions) -> Parsed:
    """Parts in reading order, and scans for OCR. A damaged file that MuPDF repaired is noted as such.

    Raises DocumentEncrypted, DocumentCorrupt, DocumentTooLarge; other exceptions of PyMuPDF pass.
    """
    with opened(data, name, options.limits) as pdf, collector_paused() as collect:
        route = route_pdf(pdf, options.thresholds)
        reader = _Reader(pdf, data, name, options, route)
        for batch, start in enumerate(range(0, pdf.page_count, _BATCH), start=1):
            reader.read(range(start, min(start + _BATCH, pdf.page_count)))
            collect()
            if batch % _BATCHES_KEPT == 0:
                forget()
        notes = ("repaired: the file is damaged, text may be missing",) if pdf.is_repaired else ()
        return reader.parsed(pdf.page_count, (*notes, *left_out(pdf, reader.beside)))


@dataclass
class _Reader:
    """The pages of one file, read in batches."""

    pdf: Any
    data: bytes
    name: str
    options: ReadOptions
    route: PdfRoute
    pieces: list[Piece] = field(default_factory=list)
    scans: dict[int, Scan] = field(default_factory=dict)
    escalated: dict[int, str] = field(default_factory=dict)
    """Why, by page."""
    harder: list[int] = field(default_factory=list)
    """Pages read at a higher level than the document's."""
    turns: dict[int, Turn] = field(default_factory=dict)
    """By page, of those that were turned."""
    beside: list[Beside] = field(default_factory=list)
    """Of each page."""

    @cached_property
    def docling(self) -> pdf_docling.Docling:
        """Asked for only by documents with HIGH pages: it searches the installed packages."""
        return pdf_docling.docling_here(self.options.docling_artifacts)

    def read(self, indices: Sequence[int]) -> None:
        """Adds to `pieces` and `scans`."""
        by_level: dict[Level, list[PdfPage]] = {level: [] for level in LEVELS}
        for index in indices:
            glanced = self.route.pages.pop(index + 1, None)
            page = settled(glanced or glance_at(self.pdf[index]))
            by_level[self._level(page)].append(page)
            self.beside.append(page.beside)
            if page.turned:
                self.turns[page.number] = page.turned
        for page in by_level["EXTREME"]:
            self._scan(page)
        read: dict[int, list[Piece]] = {}
        for level in ("LOW", "MEDIUM", "HIGH"):
            read |= self._read_well(by_level[level], level)
        for number in sorted(read):
            self.pieces += read[number]

    def parsed(self, pages: int, notes: tuple[str, ...]) -> Parsed:
        """The file, once all pages are read."""
        parts = groupby(self._outlined(self.pieces, pages), key=lambda part: part.page)
        items: list[tuple[int, Sequence[Part | Scan]]] = [(page or 0, list(found)) for page, found in parts]
        items += [(number, [scan]) for number, scan in self.scans.items()]
        items.sort(key=lambda pair: pair[0])
        flat = tuple(item for _, found in items for item in found)
        if self.escalated:
            why = next(iter(self.escalated.values()))
            notes += (f"read again at a higher level: {_named(self.escalated)}: {why}",)
        return Parsed(flat, self._route(), pages, notes)

    def _level(self, page: PdfPage) -> Level:
        """A page of tables in an easier document is read as what it is."""
        found = self.route.found.get(page.number) or level_of(signals_of(page), self.options.thresholds)
        own = found.level
        if own == "EXTREME":
            return own
        if own == "HIGH" and self.route.text_level != "HIGH":
            self.harder.append(page.number)
            return own
        return self.route.text_level

    def _scan(self, page: PdfPage) -> None:
        parts = tuple(self._outlined(list(pdf_text.pieces_of(page)), 1))
        self.scans[page.number] = Scan(page.number, parts=parts)

    def _outlined(self, pieces: Sequence[Piece], pages: int) -> Iterator[Part]:
        """With boxes on the pages as they are shown."""
        parts = outlined(pieces, pages)
        return (self._shown(part) for part in parts) if self.turns else parts

    def _shown(self, part: Part) -> Part:
        turn = self.turns.get(part.page or 0)
        return replace(part, box=turn.shown(part.box)) if turn and part.box else part

    def _read_well(self, pages: Sequence[PdfPage], level: Level) -> dict[int, list[Piece]]:
        """Pages that the level's reader does not read well are read once more, by the next level's."""
        read = self._read(pages, level)
        poor = {
            page.number: why for page in pages if (why := self._shortfall(page, read[page.number], level))
        }
        if not poor:
            return {number: pieces or [] for number, pieces in read.items()}
        self.escalated |= poor
        again = [page for page in pages if page.number in poor]
        higher = LEVELS[LEVELS.index(level) + 1]
        second = {} if higher == "EXTREME" else self._read(again, higher)
        for page in again:
            if second.get(page.number) is None:
                read.pop(page.number)
                self._scan(page)
            else:
                read[page.number] = second[page.number]
        return {number: pieces or [] for number, pieces in read.items()}

    def _shortfall(self, page: PdfPage, pieces: list[Piece] | None, level: Level) -> str:
        if pieces is None:
            return "the reader failed"
        if level == "LOW":
            # It is the layer itself, of which nothing is lost; a sample costs a third.
            return shortfall(quality_of(_text(pieces)[:_SAMPLE_CHARS]), self.options.thresholds)
        return shortfall(quality_of(_text(pieces), page.text()), self.options.thresholds)

    def _read(self, pages: Sequence[PdfPage], level: Level) -> dict[int, list[Piece] | None]:
        """None for a page on which the reader fails."""
        if level == "LOW" or not pages:
            return {page.number: list(pdf_text.pieces_of(page)) for page in pages}
        for page in pages:
            images = self.pdf[page.number - 1].get_images() if page.pictures else ()
            refuse_large_images(images, page.number, self.options.limits)
        reader = self._by_docling if level == "HIGH" and self.docling.models else self._by_layout(level)
        try:
            return {**reader(pages)}
        except (DocumentError, MemoryError):
            raise
        except Exception:
            # The layout model and docling raise anything on a hostile page. Alone, the others can be read.
            if len(pages) < 2:
                return {page.number: None for page in pages}
            return {number: read for page in pages for number, read in self._read([page], level).items()}

    def _by_layout(self, level: Level) -> Callable[[Sequence[PdfPage]], dict[int, list[Piece]]]:
        return lambda pages: pdf_layout.read_pages(self.pdf, pages, tables=level == "HIGH")

    def _by_docling(self, pages: Sequence[PdfPage]) -> dict[int, list[Piece]]:
        if not pages or not self.docling.models:
            return {}
        # Docling reads the file itself, in which these lie on their side.
        turned = [page for page in pages if page.turned]
        numbers = [page.number for page in pages if not page.turned]
        read = pdf_docling.read_pages(self.data, self.name, numbers, self.docling.models)
        return read | self._by_layout("HIGH")(turned)

    def _route(self) -> Route:
        level = self.route.level
        reasons = [*self.route.reasons, *self._readers()]
        route = Route("pdf", level, self._parser(level), tuple(reasons), self.route.levels)
        share = len(self.escalated) / max(1, sum(count for _, count in self.route.levels))
        if share < self.options.thresholds.document_share or level == "EXTREME":
            return route
        higher = LEVELS[LEVELS.index(level) + 1]
        return replace(route, level=higher, parser=self._parser(higher), escalated_from=level)

    def _readers(self) -> Iterator[str]:
        if self.harder:
            yield f"{_named(self.harder)} hold tables, and are read as HIGH"
        if "HIGH" in (self.route.level, self.route.text_level) or self.harder:
            how = "docling" if self.docling.models else "pymupdf4llm with HTML tables"
            yield f"HIGH by {how}: {self.docling.reason}"
        for number, why in list(self.escalated.items())[:_MAX_NAMED]:
            yield f"page {number} was read again at a higher level: {why}"

    def _parser(self, level: Level) -> str:
        if level == "HIGH" and self.docling.models:
            return "docling"
        return {"LOW": "pymupdf", "MEDIUM": "pymupdf4llm", "HIGH": "pymupdf4llm", "EXTREME": "ocr"}[level]


def _text(pieces: Sequence[Piece]) -> str:
    shown = [piece.part for piece in pieces if not piece.part.hidden]
    return "\n".join([part.text or " ".join(cell.text for cell in part.cells) for part in shown])


def _named(pages: Sequence[int] | dict[int, str]) -> str:
    numbers = sorted(pages)
    shown = ", ".join(str(number) for number in numbers[:_MAX_NAMED])
    more = f" and {len(numbers) - _MAX_NAMED} more" if len(numbers) > _MAX_NAMED else ""
    return f"page {shown}" if len(numbers) == 1 else f"pages {shown}{more}"
