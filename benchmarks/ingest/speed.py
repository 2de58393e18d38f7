"""Times beside the raw library's, of one parser process beside two, and the router's share.

All that is compared is taken in turn, round after round; a ratio is the median over the rounds. LOW and
office files are read by one thread, whose CPU time is taken: others who use the machine then count less.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import NamedTuple

import pymupdf
from anyio import to_thread

from benchmarks.checkpoints.goals import Goal
from benchmarks.ingest import documents, raw
from benchmarks.ingest.cores import speed_up
from benchmarks.ingest.report import Findings, Table
from benchmarks.ingest.table_files import as_pdf
from benchmarks.ingest.table_truth import tables
from ingestion.options import ReadOptions
from ingestion.read import read_file
from ingestion.route import route_pdf

_LOW, _OFFICE, _CORES, _ROUTING = 1.15, 1.1, 1.7, 0.05
_ROUNDS, _SLOW_ROUNDS, _LAYOUT_ROUNDS = 15, 7, 3
_OFFICE_KINDS = ("docx", "pptx", "html")
"""Those that docling-slim reads for us; XLSX is read by openpyxl, and shown beside it."""


Clock = Callable[[], float]


class Pair(NamedTuple):
    """Seconds, medians, and the median ratio."""

    name: str
    ours: float
    other: float
    ratio: float


async def measure(corpus: Path | None) -> Findings:
    """With a corpus, of its files too."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        low = await to_thread.run_sync(_low, folder, corpus, True)
        low_alike = await to_thread.run_sync(_low, folder, corpus, False)
        office = await to_thread.run_sync(_office, folder, corpus)
        routing = await to_thread.run_sync(_routing, folder, corpus)
        cores = [await speed_up(kind) for kind in ("text", "layout")]
    found = [
        _table("LOW PDFs: ours / PyMuPDF's get_text('dict')", "PyMuPDF", low),
        _table("The same, PyMuPDF with our way to measure letters", "PyMuPDF", low_alike),
        _table("Office: ours / docling-slim's convert()", "docling-slim", office),
        _table("MEDIUM and HIGH PDFs: routing / all of the reading", "all", routing),
        Table("A folder, parser processes", ("folder", "1, s", "2, s", "faster"), [c.row for c in cores]),
    ]
    judged = [pair for pair in office if Path(pair.name).suffix[1:] in _OFFICE_KINDS]
    goals = [
        Goal("LOW / PyMuPDF, all files together", _together(low), _LOW),
        Goal("LOW / PyMuPDF with our way to measure letters", _together(low_alike), _LOW),
        Goal("DOCX, PPTX, HTML / docling-slim, all files together", _together(judged), _OFFICE),
        Goal("share of routing", _together(routing), _ROUTING),
        *(Goal(f"{c.name}: two processes / one", c.faster, _CORES, at_least=True) for c in cores),
    ]
    return Findings(found, goals)


def _low(folder: Path, corpus: Path | None, corrected: bool) -> list[Pair]:
    """`corrected` as `raw.pdf_dicts` takes it."""
    (folder / "40-pages.pdf").write_bytes(documents.prose_pdf(0, 40))
    paths = [folder / "40-pages.pdf", *_of(corpus, ("LOW",), "pdf")]
    plain = partial(raw.pdf_dicts, corrected=corrected)
    return [_pair(path.name, _ours(path), partial(plain, path), _ROUNDS, process_time) for path in paths]


def _office(folder: Path, corpus: Path | None) -> list[Pair]:
    paths = []
    for kind in (*_OFFICE_KINDS, "xlsx"):
        paths.append(folder / f"60-parts.{kind}")
        paths[-1].write_bytes(documents.MAKERS[kind](0, 60))
        paths += _of(corpus, ("LOW", "MEDIUM", "HIGH"), kind)
    return [_pair(path.name, _ours(path), raw.office(path), _SLOW_ROUNDS, process_time) for path in paths]


def _routing(folder: Path, corpus: Path | None) -> list[Pair]:
    path = folder / "table.pdf"
    path.write_bytes(as_pdf(next(tables("ruled"))))
    paths = [path, *_of(corpus, ("MEDIUM", "HIGH"), "pdf")]
    return [
        _pair(path.name, partial(_route, path), _ours(path), _LAYOUT_ROUNDS, perf_counter) for path in paths
    ]


def _route(path: Path) -> None:
    with pymupdf.open(path) as pdf:
        route_pdf(pdf, ReadOptions().thresholds)


def _ours(path: Path) -> Callable[[], object]:
    return partial(read_file, path, path.name, ReadOptions())


def _of(corpus: Path | None, folders: Sequence[str], suffix: str) -> list[Path]:
    return [path for f in folders for path in sorted((corpus / f).glob(f"*.{suffix}"))] if corpus else []


def _pair(
    name: str, ours: Callable[[], object], other: Callable[[], object], rounds: int, clock: Clock
) -> Pair:
    _seconds(ours, clock), _seconds(other, clock)  # imports, and models
    both = [(_seconds(ours, clock), _seconds(other, clock)) for _ in range(rounds)]
    mine, others = zip(*both, strict=True)
    return Pair(name, median(mine), median(others), median(one / two for one, two in both))


def _seconds(function: Callable[[], object], clock: Clock) -> float:
    began = clock()
    function()
    return clock() - began


def _together(pairs: Sequence[Pair]) -> float:
    """Each file weighs as long as the other side takes for it."""
    return sum(pair.ratio * pair.other for pair in pairs) / sum(pair.other for pair in pairs)


def _table(title: str, other: str, pairs: Sequence[Pair]) -> Table:
    rows = [(p.name, f"{p.ours * 1e3:,.1f}", f"{p.other * 1e3:,.1f}", f"{p.ratio:.3f}") for p in pairs]
    return Table(title, ("file", "ours, ms", f"{other}, ms", "ratio"), rows)
