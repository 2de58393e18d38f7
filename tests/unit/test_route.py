"""Routing by content, never by name alone."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO

import pytest

from ingestion.route import format_of, parse
from runtime.errors import DocumentCorrupt, DocumentEmpty, DocumentEncrypted, DocumentError, FormatUnsupported
from tests.unit.tiny_pdf import Line, tiny_pdf

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512)
TYPE = "application/vnd.openxmlformats-officedocument."


def office(content_type: str) -> bytes:
    """An archive that says it is an office file."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("[Content_Types].xml", f'<Types><Override ContentType="{content_type}"/></Types>')
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        (tiny_pdf([[Line("x")]]), "wrong.docx", "pdf"),
        (b"junk before\n" + tiny_pdf([[Line("x")]]), "a.pdf", "pdf"),
        (office(TYPE + "wordprocessingml.document.main+xml"), "wrong.pdf", "docx"),
        (office(TYPE + "spreadsheetml.sheet.main+xml"), "a", "xlsx"),
        (b"<!DOCTYPE html><p>x</p>", "page.txt", "html"),
        (b"\xef\xbb\xbf  <html lang=en><body>x", "page", "html"),
        (b"# Title\n\n- one\n- two\n", "notes", "markdown"),
        (b"# Title\n\ntext", "notes.md", "markdown"),
        (b"# a comment\nkey = 1\n", "settings.txt", "text"),
        (b"Just a sentence.", "a.md", "text"),
        ("价格是多少？".encode("gb18030") * 20, "a.txt", "text"),
    ],
)
def test_format_of(data: bytes, name: str, expected: str) -> None:
    """A wrongly named file is read by its content."""
    assert format_of(data, name) == expected


@pytest.mark.parametrize(
    ("data", "name", "error", "message"),
    [
        (b"", "a.pdf", DocumentEmpty, "is empty"),
        (b" \n\t", "a.txt", DocumentEmpty, "is empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "a.pdf", FormatUnsupported, "PNG image"),
        (b"\xff\xd8\xff\xe0" + bytes(40), "a.jpg", FormatUnsupported, "JPEG image"),
        (bytes(range(256)) * 4, "a.pdf", DocumentCorrupt, "is not a PDF"),
        (bytes(range(256)) * 4, "a.bin", FormatUnsupported, "no known kind"),
        (office(TYPE + "presentationml.presentation.main+xml"), "a.pptx", FormatUnsupported, "PowerPoint"),
        (office("application/x-else"), "a.docx", FormatUnsupported, "office file"),
        (office(TYPE + "x")[:60], "a.docx", DocumentCorrupt, "cut-off archive"),
        (OLE, "a.doc", FormatUnsupported, "before 2007"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "a.docx", DocumentEncrypted, "password"),
        (b"{\\rtf1\\ansi text}", "a.doc", FormatUnsupported, "RTF"),
    ],
)
def test_refusals(data: bytes, name: str, error: type[DocumentError], message: str) -> None:
    """Each refusal has the right code and names the file."""
    with pytest.raises(error, match=message) as raised:
        format_of(data, name)
    assert repr(name) in str(raised.value) and raised.value.details["document"] == name


def test_a_zip_of_something_else() -> None:
    """An archive without office parts is not an office file."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", "x")
    with pytest.raises(FormatUnsupported, match="ZIP archive"):
        format_of(buffer.getvalue(), "a.zip")


def test_a_document_without_text_is_empty() -> None:
    """A scan must be refused by name, not indexed as nothing."""
    with pytest.raises(DocumentEmpty, match="no OCR"):
        parse(tiny_pdf([[]]), "scan.pdf")
    with pytest.raises(DocumentEmpty, match=r"'a\.html' holds no text$"):
        parse(b"<html><body></body></html>", "a.html")


def cut_off_docx() -> bytes:
    """An office file whose parts are missing."""
    return office(TYPE + "wordprocessingml.document.main+xml")


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"%PDF-1.4\n%%EOF", "shell.pdf"),
        (b"%PDF-1.7\n" + b"\x00\xff" * 500, "rubbish.pdf"),
        (cut_off_docx(), "half.docx"),
        (office(TYPE + "spreadsheetml.sheet.main+xml"), "half.xlsx"),
    ],
)
def test_whatever_a_library_raises_is_one_error(data: bytes, name: str) -> None:
    """One bad file must not stop a folder, and its name must stand in the message."""
    with pytest.raises(DocumentCorrupt, match=re.escape(repr(name))):
        parse(data, name)
