"""What a file is: decided by its content; its name only decides between kinds of text."""

from __future__ import annotations

import re
import zipfile
import zlib
from io import BytesIO
from pathlib import PurePath
from typing import Literal, NoReturn, get_args

from ingestion.encoding import decode
from ingestion.parse.delimited import looks_delimited
from runtime.errors import DocumentCorrupt, DocumentEmpty, DocumentEncrypted, DocumentError, FormatUnsupported

Kind = Literal["pdf", "docx", "pptx", "xlsx", "csv", "html", "markdown", "text", "image", "eml", "zip"]

_IMAGES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_ZIPS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
"""A ZIP begins with its first member, with its directory where it has none, or as one of several volumes."""
_OTHER = (
    (b"GIF8", "a GIF image"),
    (b"BM", "a BMP image"),
    (b"8BPS", "a Photoshop image"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"SQLite format 3", "an SQLite database"),
    (b"OggS", "a sound"),
    (b"ID3", "a sound"),
)
_OTHER_LATER = (
    (b"WEBP", 8, "a WebP image"),
    (b"WAVE", 8, "a sound"),
    (b"ftyphei", 4, "a HEIC image"),
    (b"ftypmif", 4, "a HEIC image"),
    (b"ftyp", 4, "a film"),
    (b"jP  ", 4, "a JPEG 2000 image"),
    (b"ustar", 257, "a tar archive"),
)
_OTHER_TEXT = (
    (re.compile(r"GIF8[79]a"), "a GIF image"),
    (re.compile(r"\{\\rtf"), "an RTF document"),
    (re.compile(r"%!PS"), "a PostScript file"),
    (
        re.compile(r"(<\?xml[^>]*>\s*|<!--.*?-->\s*|<!DOCTYPE[^>]*>\s*)*<svg[\s>]", re.DOTALL),
        "an SVG drawing",
    ),
    (re.compile(r"<\?xml[^>]*>\s*<\?mso-application"), "an Office document of before 2007"),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_STREAMS = (
    ("WordDocument", "a Word document of before 2007 (.doc)"),
    ("Workbook", "an Excel workbook of before 2007 (.xls)"),
    ("Book", "an Excel workbook of before 1997 (.xls)"),
    ("PowerPoint Document", "a PowerPoint file of before 2007 (.ppt)"),
    ("__substg1.0_", "an Outlook message (.msg)"),
)
_OOXML: tuple[tuple[bytes, Kind], ...] = (
    (b"wordprocessingml.document.main+xml", "docx"),
    (b"wordprocessingml.template.main+xml", "docx"),
    (b"ms-word.document.macroEnabled.main+xml", "docx"),
    (b"ms-word.template.macroEnabledTemplate.main+xml", "docx"),
    (b"spreadsheetml.sheet.main+xml", "xlsx"),
    (b"spreadsheetml.template.main+xml", "xlsx"),
    (b"ms-excel.sheet.macroEnabled.main+xml", "xlsx"),
    (b"ms-excel.template.macroEnabled.main+xml", "xlsx"),
    (b"presentationml.presentation.main+xml", "pptx"),
    (b"presentationml.template.main+xml", "pptx"),
    (b"presentationml.slideshow.main+xml", "pptx"),
    (b"ms-powerpoint.presentation.macroEnabled.main+xml", "pptx"),
    (b"ms-powerpoint.template.macroEnabled.main+xml", "pptx"),
    (b"ms-powerpoint.slideshow.macroEnabled.main+xml", "pptx"),
)
_CONTENT_TYPES = "[Content_Types].xml"
_PDF_HEADER = b"%PDF-"
_PDF_HEADER_WITHIN = 1024
"""Adobe's readers accept the header anywhere in the first 1024 bytes (ISO 32000-1, annex H.3, note 13)."""
_BLANK = b"\xef\xbb\xbf\x00\t\n\r "
"""What may stand before anything without being of another kind: a byte order mark, spaces."""
_MAX_DECLARATION_BYTES = 1_000_000
_HEAD_CHARS = 4096

_BINARY_NAMES = {
    ".pdf": "a PDF",
    ".docx": "a DOCX",
    ".pptx": "a PPTX",
    ".xlsx": "an XLSX",
    ".zip": "a ZIP archive",
    ".png": "a PNG image",
    ".jpg": "a JPEG image",
    ".jpeg": "a JPEG image",
    ".tif": "a TIFF image",
    ".tiff": "a TIFF image",
}
_TEXT_NAMES: dict[str, Kind] = {
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".md": "markdown",
    ".markdown": "markdown",
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".eml": "eml",
    ".txt": "text",
}
_HTML_FIRST = re.compile(
    r"\s*(<\?xml[^>]*>\s*|<!--.*?-->\s*)*<(!doctype\s+html|html|head|body)[\s>]", re.IGNORECASE | re.DOTALL
)
_HTML_ROOT = re.compile(r"<(!doctype\s+html|html|head|body)[\s>]", re.IGNORECASE)
_HTML_TAG = re.compile(r"</?(p|div|span|h[1-6]|table|ul|ol|section|article|br)[\s/>]", re.IGNORECASE)
_MAIL_HEAD = re.compile(r"(?:From .*\n)?((?:[!-9;-~]+:.*\n(?:[ \t]+.*\n)*)+)(?:\r?\n|\Z)")
_MAIL_FIELD = re.compile(
    r"^(From|To|Cc|Subject|Date|Sender|Reply-To|Received|Return-Path|Message-ID|MIME-Version|Delivered-To)"
    r"[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_MANY_MAIL_FIELDS = 3
_MARKDOWN_TABLE = re.compile(r"^\|?\s*:?-{3,}:?\s*\|[\s|:-]*$", re.MULTILINE)
_MARKDOWN_SIGNS = (
    re.compile(r"^#{1,6} \S", re.MULTILINE),
    re.compile(r"^\s*(```|~~~)", re.MULTILINE),
    _MARKDOWN_TABLE,
    re.compile(r"^\s{0,3}([-*+]|\d+[.)]) \S", re.MULTILINE),
    re.compile(r"\[[^\]\n]+\]\([^)\s]+\)|\*\*[^*\n]+\*\*"),
)


def kind_of(data: bytes, name: str) -> Kind:
    """What `data` is. `name` serves for messages, and among kinds of text where several would do.

    Raises DocumentEmpty, DocumentEncrypted, DocumentCorrupt, FormatUnsupported.
    """
    if not data or data.isspace():
        raise DocumentEmpty(f"{name!r} is empty", document=name)
    if data.startswith(_ZIPS):
        return _in_zip(data, name)
    if data.startswith(_IMAGES):
        return "image"
    if data.startswith(_OLE):
        _refuse_ole(data, name)
    head = data[:_PDF_HEADER_WITHIN]
    if head.lstrip(_BLANK).startswith(_PDF_HEADER):
        return "pdf"
    text = decode(data)
    if text is not None:
        return _in_text(text, name)
    _refuse_known(data, name)
    # A PDF may stand as it is within an archive, and a text may be about PDF.
    if _PDF_HEADER in head:
        return "pdf"
    raise _unknown(name)


def _in_zip(data: bytes, name: str) -> Kind:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            members = set(archive.namelist())
            stated = _CONTENT_TYPES if _CONTENT_TYPES in members else "mimetype"
            declared = b""
            if stated in members:
                with archive.open(stated) as member:
                    declared = member.read(_MAX_DECLARATION_BYTES)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as exc:
        # zipfile also raises ValueError for a negative offset and RuntimeError for an encrypted member.
        raise DocumentCorrupt(f"{name!r} is a damaged or cut-off archive: {exc}", document=name) from exc
    for mark, kind in _OOXML:
        if mark in declared:
            return kind
    if b"sheet.binary.macroEnabled" in declared:
        raise _unsupported(name, "a binary Excel workbook (.xlsb)")
    if b"opendocument" in declared:
        raise _unsupported(name, "an OpenDocument file")
    if b"application/epub" in declared:
        raise _unsupported(name, "an EPUB book")
    if stated == _CONTENT_TYPES and stated in members:
        raise _unsupported(name, "an office file of another kind")
    return "zip"


def _refuse_ole(data: bytes, name: str) -> NoReturn:
    # Office wraps an encrypted DOCX, PPTX or XLSX in an OLE container ([MS-OFFCRYPTO] 2.3.4.4).
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise DocumentEncrypted(f"{name!r} is encrypted with a password", document=name)
    for stream, kind in _OLE_STREAMS:
        if stream.encode("utf-16-le") in data:
            raise _unsupported(name, kind)
    raise _unsupported(name, "an Office file of before 2007")


def _refuse_known(data: bytes, name: str) -> None:
    for magic, kind in _OTHER:
        if data.startswith(magic):
            raise _unsupported(name, kind)
    for magic, at, kind in _OTHER_LATER:
        if data.startswith(magic, at):
            raise _unsupported(name, kind)


def _unknown(name: str) -> DocumentError:
    suffix = PurePath(name).suffix.lower()
    expected = _BINARY_NAMES.get(suffix) or (_TEXT_NAMES.get(suffix) and f"{_TEXT_NAMES[suffix]} text")
    if expected:
        return DocumentCorrupt(f"{name!r} is not {expected}: its content is of no known kind", document=name)
    return _unsupported(name, "a binary file of no known kind")


def _unsupported(name: str, kind: str) -> FormatUnsupported:
    return FormatUnsupported(f"{name!r} is {kind}; read are {', '.join(get_args(Kind))}", document=name)


def _in_text(text: str, name: str) -> Kind:
    if not text.strip():
        raise DocumentEmpty(f"{name!r} is empty", document=name)
    for sign, kind in _OTHER_TEXT:
        if sign.match(text, 0, _HEAD_CHARS):
            raise _unsupported(name, kind)
    named = _TEXT_NAMES.get(PurePath(name).suffix.lower())
    if _is_html(text, named):
        return "html"
    if _is_mail(text, named):
        return "eml"
    signs = sum(bool(sign.search(text)) for sign in _MARKDOWN_SIGNS)
    if named == "markdown" and signs:
        return "markdown"
    if named == "csv" or (not _MARKDOWN_TABLE.search(text) and looks_delimited(text)):
        return "csv"
    return "markdown" if signs >= 2 else "text"


def _is_html(text: str, named: Kind | None) -> bool:
    head = text[:_HEAD_CHARS]
    if _HTML_FIRST.match(head):
        return True
    if named == "html":
        return bool(_HTML_TAG.search(text))
    # A text about HTML holds its tags too.
    return named is None and bool(_HTML_ROOT.search(head))


def _is_mail(text: str, named: Kind | None) -> bool:
    head = _MAIL_HEAD.match(text.replace("\r\n", "\n")[: 16 * _HEAD_CHARS])
    if not head or named in ("markdown", "csv"):
        return False
    fields = {field.lower() for field in _MAIL_FIELD.findall(head.group(1))}
    return len(fields) >= (1 if named == "eml" else _MANY_MAIL_FIELDS)
