"""Any file as parts: what it is by its content, then the parser of its kind. Runs in a parser process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ingestion.kind import Kind, kind_of
from ingestion.options import ReadOptions
from ingestion.parse import archive, delimited, html, image, mail, markdown, office, pdf, plain, sheets
from ingestion.parse.render import Picture, frame_picture, page_picture
from ingestion.parsed import Parsed, Scan
from ingestion.sources.local import told
from runtime.errors import (
    DocumentCorrupt,
    DocumentError,
    DocumentTooLarge,
    FormatUnsupported,
)

_PARSERS: dict[Kind, Callable[[bytes, str, ReadOptions], Parsed]] = {
    "pdf": pdf.parse,
    "docx": office.parse_docx,
    "pptx": office.parse_pptx,
    "xlsx": sheets.parse,
    "csv": delimited.parse,
    "html": html.parse,
    "markdown": markdown.parse,
    "text": plain.parse,
    "image": image.parse,
}


def read_file(path: Path, name: str, options: ReadOptions) -> Parsed:
    """The file at `path`, which the user knows as `name`.

    Raises DocumentError's subclasses alone, but for MemoryError.
    """
    return read_bytes(_content(path, name, options), name, options)


def read_bytes(data: bytes, name: str, options: ReadOptions, depth: int = 0) -> Parsed:
    """As `read_file`; `depth` counts the archives and mails around it."""
    kind = kind_of(data, name)
    try:
        return _parsed(kind, data, name, options, depth)
    except (DocumentError, MemoryError):
        raise
    except Exception as exc:
        # On a hostile file MuPDF, docling, python-docx, openpyxl and lxml raise anything, from KeyError to
        # RecursionError, and one bad file must not stop the others.
        raise _corrupt(name, kind, exc) from exc


def render_page(path: Path, scan: Scan, options: ReadOptions) -> Picture:
    """The page as a picture, of a PDF or an image, perhaps within archives. Raises as `read_file` does."""
    name = scan.members[-1] if scan.members else path.name
    data = _content(path, path.name, options)
    for member in scan.members:
        data = _member(data, member, options)
    kind = kind_of(data, name)
    try:
        if kind == "pdf":
            return page_picture(data, name, scan.page, options.limits)
        if kind == "image":
            return frame_picture(data, name, scan.page, options.limits)
    except (DocumentError, MemoryError):
        raise
    except Exception as exc:
        # As above: MuPDF and Pillow render what others wrote.
        raise _corrupt(name, kind, exc) from exc
    raise FormatUnsupported(f"{name!r} is of kind {kind}, whose pages are no pictures", document=name)


def _content(path: Path, name: str, options: ReadOptions) -> bytes:
    limit = options.limits.bytes
    with told(name, name):  # A path of ours says nothing to whoever asked.
        size = path.stat().st_size
        if size > limit:
            raise DocumentTooLarge(
                f"{name!r} has {size} bytes; at most {limit} are read", document=name, limit=limit
            )
        return path.read_bytes()


def _corrupt(name: str, kind: Kind, exc: Exception) -> DocumentCorrupt:
    return DocumentCorrupt(f"{name!r} cannot be read as {kind}: {type(exc).__name__}: {exc}", document=name)


def _member(data: bytes, member: str, options: ReadOptions) -> bytes:
    if kind_of(data, member) == "zip":
        return archive.open_member(data, member, options.limits)
    return mail.open_member(data, member, options.limits)


def _parsed(kind: Kind, data: bytes, name: str, options: ReadOptions, depth: int) -> Parsed:
    if kind == "zip":
        return archive.parse(data, name, options, depth)
    if kind == "eml":
        return mail.parse(data, name, options, depth)
    return _PARSERS[kind](data, name, options)
