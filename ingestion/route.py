"""Which parser reads a file: decided by its content, never by its name alone."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import PurePath
from typing import Literal, NoReturn

from ingestion.document import Document
from ingestion.encoding import decode
from ingestion.parse import markdown, office, pdf, plain
from runtime.errors import DocumentCorrupt, DocumentEmpty, DocumentEncrypted, DocumentError, FormatUnsupported

Format = Literal["pdf", "docx", "xlsx", "html", "markdown", "text"]

PARSERS: dict[Format, Callable[[bytes, str], Document]] = {
    "pdf": pdf.parse,
    "docx": office.parse_docx,
    "xlsx": office.parse_xlsx,
    "html": office.parse_html,
    "markdown": markdown.parse,
    "text": plain.parse,
}

_NAMES = {
    ".pdf": "a PDF",
    ".docx": "a DOCX",
    ".xlsx": "an XLSX",
    ".html": "HTML",
    ".htm": "HTML",
    ".md": "Markdown",
    ".txt": "text",
}
_OTHER = (
    (b"\x89PNG\r\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"BM", "a BMP image"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"{\\rtf", "an RTF document"),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PDF_HEADER_WITHIN = 1024
"""Adobe's readers accept the header anywhere in the first 1024 bytes (ISO 32000-1, annex H.3, note 13)."""
_MAX_CONTENT_TYPES_BYTES = 1_000_000
_HTML = re.compile(r"<(!doctype\s+html|html|head|body)[\s>]", re.IGNORECASE)
_MARKDOWN_SIGNS = (
    re.compile(r"^#{1,6} \S", re.MULTILINE),
    re.compile(r"^\s*(```|~~~)", re.MULTILINE),
    re.compile(r"^\|?\s*:?-{3,}:?\s*\|[\s|:-]*$", re.MULTILINE),
    re.compile(r"^\s{0,3}([-*+]|\d+[.)]) \S", re.MULTILINE),
    re.compile(r"\[[^\]\n]+\]\([^)\s]+\)|\*\*[^*\n]+\*\*"),
)


def parse(data: bytes, name: str) -> Document:
    """The document in `data`, never without text. Raises nothing but a DocumentError that names the file."""
    format_ = format_of(data, name)
    try:
        document = PARSERS[format_](data, name)
    except DocumentError:
        raise
    except Exception as exc:
        # On a hostile file MuPDF, docling, python-docx, openpyxl and lxml raise anything, from KeyError to
        # RecursionError, and one bad file must not stop the others.
        raise DocumentCorrupt(
            f"{name!r} cannot be read as {format_}: {type(exc).__name__}: {exc}", document=name
        ) from exc
    if not document.blocks:
        why = "; its pages are pictures, and no OCR is installed" if document.pages else ""
        raise DocumentEmpty(f"{name!r} holds no text{why}", document=name)
    return document


def format_of(data: bytes, name: str) -> Format:
    """What `data` is. `name` serves only for messages and to tell Markdown from text where both would do.

    Raises DocumentEmpty, DocumentEncrypted, DocumentCorrupt, FormatUnsupported.
    """
    if not data.strip():
        raise DocumentEmpty(f"{name!r} is empty", document=name)
    if b"%PDF-" in data[:_PDF_HEADER_WITHIN]:
        return "pdf"
    if data.startswith(b"PK\x03\x04"):
        return _in_archive(data, name)
    if data.startswith(_OLE):
        _refuse_ole(data, name)
    text = decode(data)
    if text is None:
        _refuse_binary(data, name)
    if data.startswith(b"{\\rtf"):
        raise _unsupported(name, "an RTF document")
    return _in_text(text, name)


def _in_archive(data: bytes, name: str) -> Format:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive, archive.open("[Content_Types].xml") as member:
            types = member.read(_MAX_CONTENT_TYPES_BYTES)
    except KeyError:
        raise _unsupported(name, "a ZIP archive") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as exc:
        # zipfile also raises ValueError for a negative offset and RuntimeError for an encrypted member.
        raise DocumentCorrupt(f"{name!r} is a damaged or cut-off archive: {exc}", document=name) from exc
    if b"wordprocessingml.document.main+xml" in types or b"word.document.macroEnabled.main+xml" in types:
        return "docx"
    if b"spreadsheetml.sheet.main+xml" in types or b"excel.sheet.macroEnabled.main+xml" in types:
        return "xlsx"
    raise _unsupported(name, "a PowerPoint file" if b"presentationml" in types else "an office file")


def _refuse_ole(data: bytes, name: str) -> NoReturn:
    # Office wraps an encrypted DOCX or XLSX in an OLE container ([MS-OFFCRYPTO] 2.3.4.4).
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise DocumentEncrypted(f"{name!r} is encrypted with a password", document=name)
    raise _unsupported(name, "an Office file of before 2007")


def _refuse_binary(data: bytes, name: str) -> NoReturn:
    for magic, kind in _OTHER:
        if data.startswith(magic):
            raise _unsupported(name, kind)
    if expected := _NAMES.get(PurePath(name).suffix.lower()):
        raise DocumentCorrupt(f"{name!r} is not {expected}: its content is of no known kind", document=name)
    raise _unsupported(name, "a binary file of no known kind")


def _unsupported(name: str, kind: str) -> FormatUnsupported:
    return FormatUnsupported(f"{name!r} is {kind}; read are {', '.join(PARSERS)}", document=name)


def _in_text(text: str, name: str) -> Format:
    if _HTML.search(text[:4096]):
        return "html"
    signs = sum(bool(sign.search(text)) for sign in _MARKDOWN_SIGNS)
    needed = 1 if PurePath(name).suffix.lower() in {".md", ".markdown"} else 2
    return "markdown" if signs >= needed else "text"
