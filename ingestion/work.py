"""The heavy steps, as functions from file to file that run in a parser process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ingestion.artifacts import Artifacts
from ingestion.chunking import strategy_of
from ingestion.document import Document, Part, assemble
from ingestion.options import ReadOptions
from ingestion.parsed import Parsed, Route, Scan
from ingestion.read import read_file
from ingestion.record import records
from runtime.errors import DocumentEmpty


@dataclass(frozen=True)
class Read:
    """What came of reading a file; its text is in `document.json`, or waits for OCR in `parsed.json`."""

    route: Route
    pages: int | None
    scans: tuple[tuple[int, Scan], ...] = ()
    """Pages for OCR, each with its place in the items of `parsed.json`; their own text left out."""


@dataclass(frozen=True)
class Chunked:
    """How a document was cut."""

    chunks: int
    tokens: int


def read(path: Path, name: str, options: ReadOptions, folder: Path) -> Read:
    """Reads a file into `folder`. Raises a DocumentError."""
    parsed = read_file(path, name, options)
    artifacts = Artifacts(folder)
    scans = tuple(
        (i, replace(item, parts=())) for i, item in enumerate(parsed.items) if isinstance(item, Scan)
    )
    if scans:
        artifacts.save_parsed(parsed)
    else:
        _save(artifacts, name, parsed, {})
    return Read(parsed.route, parsed.pages, scans)


def join(name: str, folder: Path, failed: Mapping[int, str]) -> None:
    """Makes the document of what the parser and OCR have read; `failed`: why OCR did not, by item.

    Raises DocumentEmpty.
    """
    artifacts = Artifacts(folder)
    parsed = artifacts.parsed()
    if parsed is None:
        raise DocumentEmpty(f"{name!r} was not read before it was joined", document=name)
    _save(artifacts, name, parsed, failed)


def cut(
    folder: Path,
    strategy: Mapping[str, Any],
    tokens: str,
    document_id: str,
    version: str,
    labels: Mapping[str, Any],
    more: Mapping[str, Any],
) -> Chunked:
    """Cuts the document in `folder` into records; `labels` and `more` as `records` takes them."""
    artifacts = Artifacts(folder)
    document = artifacts.document()
    assert document is not None  # The caller has looked.
    families = strategy_of(strategy, tokens)(document, document_id)
    made = records(document, families, document_id, version, labels, more)
    artifacts.save_records(made)
    return Chunked(len(made), sum(family.parent.tokens for family in families))


def _save(artifacts: Artifacts, name: str, parsed: Parsed, failed: Mapping[int, str]) -> None:
    notes = (*parsed.notes, *(f"page {_page(parsed, i)}: {why}" for i, why in failed.items()))
    document = assemble(name, _parts(artifacts, parsed), pages=parsed.pages, notes=notes)
    if not document.blocks:
        raise DocumentEmpty(_why_empty(document, parsed), document=name)
    artifacts.save_document(document)


def _parts(artifacts: Artifacts, parsed: Parsed) -> Iterator[Part]:
    """In reading order, each page that OCR read in its place."""
    for i, item in enumerate(parsed.items):
        if isinstance(item, Part):
            yield item
            continue
        yield from artifacts.page(i) or item.parts


def _page(parsed: Parsed, item: int) -> str:
    scan = parsed.items[item]
    assert isinstance(scan, Scan)  # Only scans are read by OCR.
    return " > ".join((*scan.members, str(scan.page)))


def _why_empty(document: Document, parsed: Parsed) -> str:
    scans = sum(isinstance(item, Scan) for item in parsed.items)
    why = f"; OCR found none on {scans} pages" if scans else ""
    hidden = f"; {len(document.hidden)} pieces that no reader sees were left out" if document.hidden else ""
    return f"{document.name!r} holds no text{why}{hidden}"
