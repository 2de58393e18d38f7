"""Rendered pages read by the embedded OCR: characters, reading order, time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean, median
from time import perf_counter
from typing import NamedTuple

from anyio import to_thread

from benchmarks.checkpoints.goals import Goal
from benchmarks.ingest.page_images import COLUMNS, LANGUAGES, SPOILT, Page, pages
from benchmarks.ingest.report import Findings, Table
from benchmarks.ingest.scores import order, recall
from ingestion.ocr.rapid import recognise

_RECALL, _ORDER = 0.94, 0.9


class PageRead(NamedTuple):
    page: Page
    recall: float
    order: float
    seconds: float


async def measure(corpus: Path | None) -> Findings:
    """Needs no corpus. One page after the other, on one core."""
    first = next(pages())
    await to_thread.run_sync(recognise, first.png)  # loads the models
    reads = [await to_thread.run_sync(_read, page) for page in pages()]
    rows = []
    for language in LANGUAGES:
        for columns in COLUMNS:
            for how in ("clean", "spoilt"):
                name = f"{language}, {columns} column{'s' * (columns > 1)}, {how}"
                rows.append(_row(name, _of(reads, language, columns, how)))
        for spoilt in SPOILT:
            alike = [read for read in reads if (read.page.language, read.page.spoilt) == (language, spoilt)]
            rows.append(_row(f"{language}: {spoilt}", alike))
    titles = ("pages", "of them", "recall", "worst", "order", "worst", "s/page")
    return Findings([Table("Rendered pages by OCR, means", titles, rows)], list(goals(reads)), [_REMARK])


_REMARK = (
    "Recall: longest common subsequence with the truth / its length, so that what is read out of order does"
    " not count. Order: Kendall's tau over sentences. Pages at 150 dpi."
)


def goals(reads: Sequence[PageRead]) -> Iterator[Goal]:
    for language in LANGUAGES:
        for how in ("clean", "spoilt"):
            of_both = [read for columns in COLUMNS for read in _of(reads, language, columns, how)]
            mean = fmean(read.recall for read in of_both)
            yield Goal(f"{language}, {how}: character recall", mean, _RECALL, at_least=True)
            two = _of(reads, language, 2, how)
            worst = min(read.order for read in two)
            yield Goal(
                f"{language}, {how}, 2 columns: reading order, worst page", worst, _ORDER, at_least=True
            )


def _read(page: Page) -> PageRead:
    began = perf_counter()
    parts = recognise(page.png)
    seconds = perf_counter() - began
    text = "\n".join(part.text or " ".join(cell.text for cell in part.cells) for part in parts)
    return PageRead(page, recall("".join(page.sentences), text), order(page.sentences, text), seconds)


def _of(reads: Sequence[PageRead], language: str, columns: int, how: str) -> list[PageRead]:
    return [
        read
        for read in reads
        if (read.page.language, read.page.columns) == (language, columns)
        and bool(read.page.spoilt) == (how == "spoilt")
    ]


def _row(name: str, reads: Sequence[PageRead]) -> Sequence[str]:
    recalls, orders = [read.recall for read in reads], [read.order for read in reads]
    figures = (fmean(recalls), min(recalls), fmean(orders), min(orders))
    seconds = median(read.seconds for read in reads)
    return (name, str(len(reads)), *(f"{figure:.3f}" for figure in figures), f"{seconds:.1f}")
