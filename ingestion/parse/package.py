"""DOCX, PPTX and XLSX as ZIP packages: what is checked, and made plain, before a parser sees them."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO

from ingestion.limits import Limits
from runtime.errors import DocumentCorrupt, DocumentEncrypted, DocumentTooLarge

_CONTENT_TYPES = "[Content_Types].xml"
_BIG_MEMBER_BYTES = 1_000_000
_PROLOG_BYTES = 65_536
_ENCRYPTED = 0x1
_STRICT = b"http://purl.oclc.org/ooxml/"
_STRICT_NAME = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)(/[\w/-]*)?")
_MAIN_TYPES = (
    (re.compile(rb"application/vnd\.(openxmlformats-officedocument\.wordprocessingml\.template|"
                rb"ms-word\.(document|template)\.macroEnabled(Template)?)\.main\+xml"),
     b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"),
    (re.compile(rb"application/vnd\.(openxmlformats-officedocument\.presentationml\.(template|slideshow)|"
                rb"ms-powerpoint\.(presentation|template|slideshow)\.macroEnabled)\.main\+xml"),
     b"application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"),
)  # fmt: skip
"""A template, a slide show or a document with macros reads as a plain one; its macros are never looked at."""


def checked(data: bytes, name: str, limits: Limits) -> bytes:
    """The package, of which a parser can take all parts: it is within `limits` and declares no entities.

    Templates, slide shows and the strict dialect (ISO/IEC 29500-1) come out as ordinary documents.
    Raises DocumentTooLarge, DocumentEncrypted, DocumentCorrupt (a document type declaration among others).
    """
    with zipfile.ZipFile(BytesIO(data)) as archive:
        check_sizes(archive, name, limits)
        changed: dict[str, bytes] = {}
        for info in archive.infolist():
            if not info.filename.lower().endswith((".xml", ".rels")):
                continue
            with archive.open(info) as part:
                prolog = part.read(_PROLOG_BYTES)
            # UTF-16 has a zero beside each of these letters.
            if b"<!DOCTYPE" in prolog.replace(b"\0", b"").upper():
                raise DocumentCorrupt(
                    f"{name!r} declares a document type in {info.filename!r}, which no office file does",
                    document=name,
                )
            if _STRICT in prolog or info.filename == _CONTENT_TYPES:
                content = archive.read(info)
                plain = _plain(content)
                if plain != content:
                    changed[info.filename] = plain
        return _rewritten(archive, changed) if changed else data


def check_sizes(archive: zipfile.ZipFile, name: str, limits: Limits) -> None:
    """Raises DocumentTooLarge or DocumentEncrypted by what the directory declares; nothing is unpacked.

    `zipfile` itself never returns more of a member than its declared size.
    """
    total = 0
    for info in archive.infolist():
        total += info.file_size
        if info.flag_bits & _ENCRYPTED:
            raise DocumentEncrypted(f"{name!r} holds {info.filename!r} encrypted", document=name)
        ratio = info.file_size // max(info.compress_size, 1)
        if info.file_size > _BIG_MEMBER_BYTES and ratio > limits.ratio:
            raise DocumentTooLarge(
                f"{name!r} unpacks {info.filename!r} to {ratio} times its size; the limit is {limits.ratio}",
                document=name,
                limit=limits.ratio,
            )
    if total > limits.unpacked_bytes:
        raise DocumentTooLarge(
            f"{name!r} unpacks to {total} bytes; the limit is {limits.unpacked_bytes}",
            document=name,
            limit=limits.unpacked_bytes,
        )


def _plain(content: bytes) -> bytes:
    for types, main in _MAIN_TYPES:
        content = types.sub(main, content)
    return _STRICT_NAME.sub(rb"http://schemas.openxmlformats.org/\1/2006\2", content)


def _rewritten(archive: zipfile.ZipFile, changed: dict[str, bytes]) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as target:
        for info in archive.infolist():
            target.writestr(info.filename, changed.get(info.filename) or archive.read(info))
    return buffer.getvalue()
