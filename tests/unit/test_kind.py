"""What a file is, by its content."""

from __future__ import annotations

import zipfile
from io import BytesIO

import pytest

from ingestion.kind import kind_of
from runtime.errors import DocumentCorrupt, DocumentEmpty, DocumentEncrypted, DocumentError, FormatUnsupported

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512)
MAIL = b"From: a@x.com\r\nTo: b@x.com\r\nSubject: Offer\r\nDate: Mon, 1 Jan 2026 10:00:00 +0000\r\n\r\nHello"
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 4
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


def zipped(**members: str) -> bytes:
    """A ZIP of these texts; `types` is the declaration of an office file."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in members.items():
            archive.writestr("[Content_Types].xml" if name == "types" else name, text)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (b"%PDF-1.7 after", "a.docx", "pdf"),
        (b"\xef\xbb\xbf\r\n%PDF-1.7 after", "a.txt", "pdf"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + PDF, "a.docx", "pdf"),
        (zipped(offer=PDF.decode("latin-1")), "a.pdf", "zip"),
        (zipped(**{"%PDF-": "", "types": "wordprocessingml.document.main+xml"}), "a.docx", "docx"),
        (PNG + PDF, "a.pdf", "image"),
        (b"# Formats\n\nA PDF begins with `%PDF-1.7`.\n", "a.md", "markdown"),
        (MAIL + b"\r\nThe file begins with %PDF-1.7, but no reader opens it.", "a.eml", "eml"),
        (zipped(types="wordprocessingml.document.main+xml"), "a.pdf", "docx"),
        (zipped(types="ms-word.document.macroEnabled.main+xml"), "a.docm", "docx"),
        (zipped(types="spreadsheetml.sheet.main+xml"), "a", "xlsx"),
        (zipped(types="presentationml.presentation.main+xml"), "a.zip", "pptx"),
        (zipped(types="presentationml.slideshow.main+xml"), "a.ppsx", "pptx"),
        (zipped(readme="Hello"), "a.docx", "zip"),
        (b"PK\x05\x06" + bytes(18), "empty.zip", "zip"),
        (PNG, "a.pdf", "image"),
        (b"\xff\xd8\xff\xe0", "a.jpg", "image"),
        (b"II*\x00", "a.tif", "image"),
        (b"<!-- x --><!DOCTYPE html><html></html>", "a.txt", "html"),
        (b"<div><p>One</p></div>", "a.html", "html"),
        ("\ufeff<html><body>价格</body></html>".encode("utf-16-le"), "a", "html"),
        (b"Tags such as <html> begin a page.", "a.txt", "text"),
        (MAIL, "a.txt", "eml"),
        (b"From alice Mon Jan 1\n" + MAIL, "mbox", "eml"),
        (b"Subject: Offer\n\nHello", "a.eml", "eml"),
        (b"Subject: Offer\n\nHello", "a.txt", "text"),
        (b"# Plans\n\nText", "a.md", "markdown"),
        (b"# Plans\n\n- one\n- two\n", "notes", "markdown"),
        (b"| Plan | USD |\n| --- | --- |\n| Team | 39 |\n", "notes.md", "markdown"),
        (b"Plan;USD\nTeam;39\nBusiness;69\n", "prices.txt", "csv"),
        (b"Plan\tUSD\nTeam\t39\nBusiness\t69\n", "prices", "csv"),
        (b"just one column\nand more\n", "a.csv", "csv"),
        (b"We met, talked, and left.\nThey came, too, late.\nSo we waited.\n", "a.txt", "text"),
        (b'{"a": 1, "b": 2}\n{"a": 3, "b": 4}\n' * 3, "a.jsonl", "text"),
        (b"Plain words.", "a.unknown", "text"),
    ],
)
def test_kinds(data: bytes, name: str, kind: str) -> None:
    """A wrong name must not lead to the wrong parser; among texts a name may decide."""
    assert kind_of(data, name) == kind


@pytest.mark.parametrize(
    ("data", "name", "error", "found"),
    [
        (b"", "a.pdf", DocumentEmpty, "empty"),
        (b" \n\t", "a.txt", DocumentEmpty, "empty"),
        (b"\xef\xbb\xbf", "a.csv", DocumentEmpty, "empty"),
        (b"PK\x03\x04" + bytes(500), "a.pptx", DocumentCorrupt, "cut-off archive"),
        (zipped(types="wordprocessingml.document.main+xml")[:-40], "a.docx", DocumentCorrupt, "cut-off"),
        (bytes(range(256)) * 8, "a.pdf", DocumentCorrupt, "is not a PDF"),
        (bytes(range(256)) * 8, "a.md", DocumentCorrupt, "markdown text"),
        (bytes(range(256)) * 8, "a.bin", FormatUnsupported, "binary file of no known kind"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "a.xlsx", DocumentEncrypted, "password"),
        (OLE + "WordDocument".encode("utf-16-le"), "a.doc", FormatUnsupported, r"\.doc"),
        (OLE + "Workbook".encode("utf-16-le"), "a.xls", FormatUnsupported, r"\.xls"),
        (OLE + "PowerPoint Document".encode("utf-16-le"), "a.ppt", FormatUnsupported, r"\.ppt"),
        (OLE, "a", FormatUnsupported, "before 2007"),
        (OLE + "WordDocument".encode("utf-16-le") + PDF, "a.doc", FormatUnsupported, r"\.doc"),
        (
            b"offer.pdf".ljust(257, b"\0") + b"ustar".ljust(255, b"\0") + PDF,
            "a",
            FormatUnsupported,
            "tar archive",
        ),
        (b"{\\rtf1 hello}", "a.doc", FormatUnsupported, "RTF"),
        (b"GIF89a" + bytes(32), "a.gif", FormatUnsupported, "GIF"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 " + bytes(32), "a.webp", FormatUnsupported, "WebP"),
        (b"\x1f\x8b\x08" + bytes(32), "a.gz", FormatUnsupported, "gzip"),
        (b"<svg xmlns='x'></svg>", "a.svg", FormatUnsupported, "SVG"),
        (zipped(types="sheet.binary.macroEnabled"), "a.xlsb", FormatUnsupported, "xlsb"),
        (zipped(mimetype="application/vnd.oasis.opendocument.text"), "a.odt", FormatUnsupported, "OpenDoc"),
    ],
)
def test_refusals(data: bytes, name: str, error: type[DocumentError], found: str) -> None:
    """Each refusal has the code of its reason, and says what was found."""
    with pytest.raises(error, match=found):
        kind_of(data, name)
