"""Which parser reads a PDF: how hard its pages are, by signals that cost a hundredth of reading them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ingestion.options import Thresholds
from ingestion.parse.pdf_page import PdfPage, glance_at
from ingestion.parsed import LEVELS, Level
from ingestion.signals import Signals, signals_of

_STRIDE = 8


@dataclass(frozen=True)
class PageLevel:
    """A page's class; None is a blank page."""

    level: Level | None
    reason: str
    """The figure that decided."""


@dataclass(frozen=True)
class PdfRoute:
    """How a PDF is to be read."""

    level: Level
    """The highest that enough of the pages hold."""
    text_level: Level
    """The same among the pages that are not EXTREME: how the rest is read where some are."""
    reasons: tuple[str, ...]
    levels: tuple[tuple[Level, int], ...]
    """Pages by level, of those seen."""
    pages: dict[int, PdfPage]
    """By number from 1: the pages seen, which a reader settles and need not look at again."""
    found: dict[int, PageLevel]
    """Of the same pages."""


def route_pdf(pdf: Any, thresholds: Thresholds, *, clock: Callable[[], float] = time.monotonic) -> PdfRoute:
    """`pdf` is PyMuPDF's; `clock` gives seconds."""
    wanted = _sample(pdf.page_count, thresholds.sampled_pages)
    end = clock() + thresholds.budget_s
    pages: dict[int, PdfPage] = {}
    found: dict[int, PageLevel] = {}
    for index in _spread(wanted):
        if pages and clock() >= end:
            break
        page = glance_at(pdf[index])
        pages[page.number] = page
        found[page.number] = level_of(signals_of(page), thresholds)
    counted = Counter(page.level for page in found.values() if page.level)
    level = _document_level(counted, thresholds)
    texts = counted.copy()
    texts["EXTREME"] = 0
    return PdfRoute(
        level,
        _document_level(texts, thresholds),
        tuple(_reasons(found, level, pdf.page_count, len(wanted), thresholds)),
        tuple((key, counted[key]) for key in LEVELS if counted[key]),
        pages,
        found,
    )


def level_of(signals: Signals, thresholds: Thresholds) -> PageLevel:
    """The first class whose condition holds, from the hardest down."""
    t, s = thresholds, signals
    if s.words < t.blank_words and s.image_share < t.blank_image_share and s.paths < t.blank_paths:
        return PageLevel(None, "blank")
    if reason := _why_extreme(s, t):
        return PageLevel("EXTREME", reason)
    if reason := _why_high(s, t):
        return PageLevel("HIGH", reason)
    if reason := _why_medium(s, t):
        return PageLevel("MEDIUM", reason)
    return PageLevel("LOW", "running text")


def _why_extreme(s: Signals, t: Thresholds) -> str:
    if s.chars < t.scan_chars and s.image_share >= t.scan_image_share:
        return f"{s.chars} characters, pictures on {s.image_share:.0%} of the page: a scan"
    if s.chars < t.scan_chars and s.paths >= t.scan_paths:
        return f"{s.chars} characters and {s.paths} paths: letters drawn as outlines"
    if s.largest_image >= t.layer_image_share and s.under_share >= t.layer_hidden_share:
        return f"{s.under_share:.0%} of the text is unseen, with one picture: a scan with a foreign OCR layer"
    if s.bad_share >= t.bad_share:
        return f"{s.bad_share:.0%} of the characters have no meaning: a font without a usable map"
    if s.image_share >= t.picture_image_share and s.chars < t.picture_chars:
        return f"{s.chars} characters, pictures on {s.image_share:.0%} of the page: read as a picture"
    return ""


def _why_high(s: Signals, t: Thresholds) -> str:
    if s.rows < t.table_rows:
        return ""
    if s.tabular >= t.table_share:
        return f"{s.tabular:.0%} of {s.rows} rows are tabular"
    if s.tabular >= t.ruled_table_share and _is_ruled(s, t):
        return f"{s.tabular:.0%} of {s.rows} rows are tabular, and ruled"
    return ""


def _why_medium(s: Signals, t: Thresholds) -> str:
    if _is_ruled(s, t):
        return f"{s.horizontal} horizontal and {s.vertical} vertical lines"
    if s.tabular >= t.some_table_share:
        return f"{s.tabular:.0%} of {s.rows} rows are tabular"
    if s.paired >= t.pair_share and s.paired * s.rows >= t.pair_rows:
        return f"{s.paired:.0%} of {s.rows} rows have a gap"
    if s.columns >= t.column_share:
        return f"columns side by side on {s.columns:.0%} of the height"
    if s.image_share >= t.image_share:
        return f"pictures on {s.image_share:.0%} of the page"
    if s.paths >= t.paths:
        return f"{s.paths} drawn paths"
    return ""


def _is_ruled(s: Signals, t: Thresholds) -> bool:
    return s.horizontal >= t.ruled_lines and s.vertical >= t.ruled_lines


def _document_level(counted: Counter[Level], thresholds: Thresholds) -> Level:
    needed = max(1, thresholds.document_share * counted.total())
    return next((level for level in reversed(LEVELS) if counted[level] >= needed), "LOW")


def _sample(pages: int, most: int) -> Sequence[int]:
    """Indices from 0, evenly spread."""
    if pages <= most:
        return range(pages)
    return [number * pages // most for number in range(most)]


def _spread(wanted: Sequence[int]) -> Iterator[int]:
    """In such an order that when time runs out, those seen are spread over the whole document."""
    for start in range(_STRIDE):
        yield from wanted[start::_STRIDE]


def _reasons(
    found: dict[int, PageLevel], level: Level, pages: int, wanted: int, thresholds: Thresholds
) -> Iterator[str]:
    counted = Counter(page.level for page in found.values())
    for key in reversed(LEVELS):
        if counted[key]:
            first = min(number for number, page in found.items() if page.level == key)
            share = f"{counted[key]} of {len(found)} pages {key}"
            yield f"{share}: page {first}, {found[first].reason}"
    if counted[None]:
        yield f"{counted[None]} of {len(found)} pages blank"
    if len(found) < wanted:
        yield f"judged by {len(found)} of {pages} pages: {thresholds.budget_s:g} s were up"
    elif wanted < pages:
        yield f"judged by {wanted} of {pages} pages, evenly spread"
    yield f"{level} is the highest class of at least {thresholds.document_share:.0%} of the pages"
