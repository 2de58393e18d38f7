"""PDF, read by PyMuPDF: headings by font size, ruled tables, lists, paragraphs; page numbers kept."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any, NamedTuple

from ingestion.document import Document, Part, assemble
from ingestion.parse.lines import BULLET, TEXT_FLAGS, join
from ingestion.parse.ruled import ruled_tables
from runtime.errors import DocumentCorrupt, DocumentEncrypted, DocumentTooLarge

MAX_PAGES = 5_000

# MuPDF's context is not safe for threads (PyMuPDF documentation, "Multiprocessing"), and ingestion calls
# parsers in threads.
_ONE_AT_A_TIME = threading.Lock()

_HEADING_RATIO = 1.12
"""Smallest ratio of a heading's font size to the body's: 12 pt over 10.5 is one, 10.5 over 10 is not."""
_MAX_HEADING_CHARS = 200
_MAX_HEADING_LEVELS = 6
_MARGIN = 0.08
"""Share of the page's height in which running heads and page numbers stand."""
_MIN_REPEATS = 3
_LETTER = re.compile(r"[^\W\d_]")


class _Run(NamedTuple):
    """Lines of one block in one font size, or a table (size 0)."""

    page: int
    size: float
    text: str
    marginal: bool = False


def parse(data: bytes, name: str) -> Document:
    """Blocks with pages, without running heads. A damaged file that MuPDF repaired is noted as such.

    Raises DocumentEncrypted, DocumentCorrupt, DocumentTooLarge (more than MAX_PAGES pages).
    """
    with _ONE_AT_A_TIME, _opened(data, name) as pdf:
        pages = pdf.page_count
        runs = _without_running_heads([run for page in pdf for run in _runs(page)], pages)
        notes = ("repaired: the file is damaged, text may be missing",) if pdf.is_repaired else ()
    return assemble(name, _parts(runs), pages=pages, notes=notes)


@contextmanager
def _opened(data: bytes, name: str) -> Iterator[Any]:
    import pymupdf

    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    with pymupdf.open(stream=data, filetype="pdf") as pdf:
        if pdf.needs_pass:
            raise DocumentEncrypted(f"{name!r} is encrypted with a password", document=name)
        if pdf.page_count == 0:
            raise DocumentCorrupt(f"{name!r} has no pages", document=name)
        if pdf.page_count > MAX_PAGES:
            raise DocumentTooLarge(
                f"{name!r} has {pdf.page_count} pages; at most {MAX_PAGES} are read",
                document=name,
                limit=MAX_PAGES,
            )
        yield pdf


def _runs(page: Any) -> Iterator[_Run]:
    """The page's text in the file's order, each table where its first line stood."""
    number = page.number + 1
    tables = ruled_tables(page)
    written = set()
    for block in page.get_text("dict", flags=TEXT_FLAGS)["blocks"]:
        outside: list[dict[str, Any]] = []
        for line in block.get("lines", ()):
            table = next((table for table in tables if table.holds(line["bbox"])), None)
            if table is None:
                outside.append(line)
            elif table not in written:
                yield from _by_size(outside, number, page.rect.height)
                outside = []
                written.add(table)
                yield _Run(number, 0, table.text)
        yield from _by_size(outside, number, page.rect.height)


def _by_size(lines: Sequence[dict[str, Any]], page: int, height: float) -> Iterator[_Run]:
    """Lines joined as long as the font size stays and no list item begins."""
    run: _Run | None = None
    for line in lines:
        spans = [span for span in line["spans"] if span["text"].strip()]
        if not spans:
            continue
        size = round(max(spans, key=lambda span: len(span["text"]))["size"] * 2) / 2
        text = "".join(span["text"] for span in line["spans"]).strip()
        marginal = line["bbox"][3] < height * _MARGIN or line["bbox"][1] > height * (1 - _MARGIN)
        if run and run.size == size and not BULLET.match(text):
            run = run._replace(text=join(run.text, text), marginal=run.marginal and marginal)
        else:
            if run:
                yield run
            run = _Run(page, size, text, marginal)
    if run:
        yield run


def _without_running_heads(runs: Sequence[_Run], pages: int) -> list[_Run]:
    """Drops what stands, but for its digits, in the margin of half of the pages and of three at least."""
    seen = Counter(key for key, _ in {(_shape(run), run.page) for run in runs if run.marginal})
    often = max(_MIN_REPEATS, pages / 2)
    return [run for run in runs if not (run.marginal and seen[_shape(run)] >= often)]


def _shape(run: _Run) -> str:
    return re.sub(r"\d+", "0", run.text)


def _parts(runs: Sequence[_Run]) -> Iterator[Part]:
    sizes: Counter[float] = Counter()
    for run in runs:
        sizes[run.size] += len(run.text) if run.size else 0
    body = sizes.most_common(1)[0][0] if sizes else 0
    larger = sorted((size for size in sizes if size >= body * _HEADING_RATIO), reverse=True)
    parts = (_part(run, larger) for run in runs)
    for (kind, page), group in groupby(parts, key=lambda part: (part.kind, part.page)):
        if kind == "list":
            yield Part(kind, "\n".join(part.text for part in group), page=page)
        else:
            yield from group


def _part(run: _Run, heading_sizes: Sequence[float]) -> Part:
    if not run.size:
        return Part("table", run.text, page=run.page)
    if run.size in heading_sizes and len(run.text) <= _MAX_HEADING_CHARS and _LETTER.search(run.text):
        level = min(heading_sizes.index(run.size) + 1, _MAX_HEADING_LEVELS)
        return Part("heading", run.text, level=level, page=run.page)
    return Part("list" if BULLET.match(run.text) else "paragraph", run.text, page=run.page)
