"""A folder of real files: routes, refusals, and their texts beside the raw library's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from anyio import to_thread

from benchmarks.ingest import raw
from benchmarks.ingest.corpus_verdict import BROKEN, Row, goals
from benchmarks.ingest.reading import open_files, read
from benchmarks.ingest.report import Findings, Table
from benchmarks.ingest.scores import similarity
from ingestion.document import Document
from ingestion.parsed import LEVELS

_NOTES = "Speaker notes"
"""The section of what the ground truth of slides leaves out, and ours does not."""


async def measure(corpus: Path | None) -> Findings:
    """Reads one file after the other."""
    if corpus is None:
        return Findings(remarks=["Left out: no corpus was given (--corpus FOLDER)."])
    rows = []
    async with open_files() as reader:
        for folder in (*LEVELS, BROKEN):
            for path in sorted((corpus / folder).iterdir()):
                row = Row(folder, path, await read(reader, path))
                rows.append(await to_thread.run_sync(partial(_compared, row, corpus / "groundtruth")))
    columns = ("file", "folder", "level", "parser", "s/page", "text", "raw", "")
    table = Table("Files of the corpus", columns, [_shown(row) for row in rows])
    return Findings([table], list(goals(rows)), list(_remarks(rows)))


def _compared(row: Row, truths: Path) -> Row:
    truth = truths / f"{row.path.name}.md"
    if row.read.document is None or row.read.route is None or not truth.exists():
        return row
    wanted = truth.read_text()
    other = _raw_text(row)
    raw_similarity = None if other is None else similarity(wanted, other)
    ours = max(similarity(wanted, text) for text in _texts(row.read.document))
    return row._replace(ours=ours, raw=raw_similarity)


def _texts(document: Document) -> Iterator[str]:
    """With the text of spanning cells in each place that they cover, and once: truths differ in that."""
    blocks = [block for block in document.blocks if not block.section.endswith(_NOTES)]
    yield "\n\n".join(block.text for block in blocks)
    yield "\n\n".join("\n".join(cell.text for cell in block.cells) or block.text for block in blocks)


def _raw_text(row: Row) -> str | None:
    if row.path.suffix == ".pdf" and row.folder in ("LOW", "MEDIUM", "HIGH") and row.read.route:
        return raw.pdf_markdown(row.path, row.read.route.level)
    return str(raw.office(row.path)().export_to_markdown()) if raw.has_office(row.path) else None


def _shown(row: Row) -> Sequence[str]:
    document, route = row.read.document, row.read.route
    similar = ["–" if value is None else f"{value:.3f}" for value in (row.ours, row.raw)]
    remark = row.read.code or ("; ".join(document.notes) if document else "")
    if not row.right:
        remark = f"**not as its folder** {remark}"
    if route is None:
        return (row.path.name, row.folder, "–", "–", "–", *similar, remark)
    s_page = row.read.seconds / max(1, (document.pages if document else None) or 1)
    return (row.path.name, row.folder, route.level, route.parser, f"{s_page:.3f}", *similar, remark)


def _remarks(rows: Sequence[Row]) -> Iterator[str]:
    pages = sum((row.read.document.pages or 1) for row in rows if row.read.document)
    seconds = sum(row.read.seconds for row in rows)
    yield f"{len(rows)} files, {pages} pages in {seconds:.0f} s, one after the other in one parser process."
    yield "Text: 2 x longest common subsequence / both lengths, without Markdown's signs; see scores.py."
    yield "Raw: LOW, PyMuPDF's text; MEDIUM and HIGH, pymupdf4llm's Markdown; the rest, docling-slim's."
    for row in rows:
        if not row.right and row.read.route:
            yield f"{row.path.name}: {row.read.route.level} since {'; '.join(row.read.route.reasons)}"
        elif not row.right:
            yield f"{row.path.name}: {row.read.code} {row.read.reason}"
