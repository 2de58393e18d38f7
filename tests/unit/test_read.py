"""Any file by its content, one error for whatever a library raises, and pages as pictures."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pymupdf
import pytest
from PIL import Image

from ingestion.document import Part
from ingestion.limits import Limits
from ingestion.options import ReadOptions
from ingestion.parse import plain
from ingestion.parsed import Scan
from ingestion.read import read_bytes, read_file, render_page
from runtime.errors import DocumentCorrupt, DocumentMissing, DocumentTooLarge, FormatUnsupported
from tests.unit.tiny_pdf import Line, tiny_pdf

OPTIONS = ReadOptions()
TEXT = "A seat costs sixty-nine dollars a month."
TYPE = b"wordprocessingml.document.main+xml"


def zipped(name: str, data: bytes) -> bytes:
    """An archive of one member."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, data)
    return buffer.getvalue()


def png(width: int = 40, height: int = 30, **how: object) -> bytes:
    """A picture, red on its left half."""
    image = Image.new("RGB", (width, height), "white")
    image.paste("red", (0, 0, width // 2, height))
    buffer = io.BytesIO()
    image.save(buffer, str(how.pop("format", "PNG")), **how)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "format_"),
    [
        (tiny_pdf([[Line(TEXT)]]), "a.docx", "pdf"),
        (TEXT.encode(), "a.txt", "text"),
        (b"# Plans\n\n- Team\n- Business\n", "a.md", "markdown"),
        (b"<!DOCTYPE html><p>A seat costs sixty-nine dollars</p>", "a.txt", "html"),
        (b"Plan,Price\nTeam,39\nBusiness,69\n", "a.csv", "csv"),
        (png(), "a.pdf", "image"),
        (zipped("a.txt", TEXT.encode()), "a.zip", "zip"),
    ],
)
def test_each_kind_goes_to_its_parser(data: bytes, name: str, format_: str, tmp_path: Path) -> None:
    """A wrong name does not mislead."""
    path = tmp_path / "spooled"
    path.write_bytes(data)
    assert read_file(path, name, OPTIONS).route.format == format_


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"%PDF-1.4\n%%EOF", "shell.pdf"),
        (b"%PDF-1.7\n" + b"\x00\xff" * 500, "rubbish.pdf"),
        (zipped("[Content_Types].xml", TYPE), "half.docx"),
    ],
)
def test_whatever_a_library_raises_is_one_error(data: bytes, name: str) -> None:
    """One bad file must not stop a folder, and its name must stand in the message."""
    with pytest.raises(DocumentCorrupt, match=re.escape(repr(name))):
        read_bytes(data, name, OPTIONS)


def test_memory_errors_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process is out of memory, which says nothing of the document's health."""

    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setitem(read_bytes.__globals__["_PARSERS"], "text", full)
    with pytest.raises(MemoryError):
        read_bytes(TEXT.encode(), "a.txt", OPTIONS)
    assert plain.parse(TEXT.encode(), "a.txt", OPTIONS).items


def test_files_that_are_too_large_or_gone(tmp_path: Path) -> None:
    """A file is refused before it is read."""
    path = tmp_path / "a.txt"
    path.write_text(TEXT)
    with pytest.raises(DocumentTooLarge, match="has 40 bytes; at most 10 are read"):
        read_file(path, "a.txt", ReadOptions(limits=Limits(bytes=10)))
    with pytest.raises(DocumentMissing, match=r"no file or folder 'gone\.txt'"):
        read_file(tmp_path / "gone", "gone.txt", OPTIONS)


def rendered(data: bytes, scan: Scan, tmp_path: Path, options: ReadOptions = OPTIONS) -> Image.Image:
    """The page as OCR gets it."""
    path = tmp_path / "file"
    path.write_bytes(data)
    image = Image.open(io.BytesIO(render_page(path, scan, options).png))
    assert image.format == "PNG" and image.mode == "RGB"
    return image


def test_a_pdf_page_is_rendered_at_150_dpi(tmp_path: Path) -> None:
    """The resolution at which OCR was measured; a giant page is scaled to the limit of pixels."""
    data = tiny_pdf([[Line(TEXT)], [Line(TEXT)]])
    assert rendered(data, Scan(2), tmp_path).size == (1240, 1755)
    small = rendered(data, Scan(1), tmp_path, ReadOptions(limits=Limits(pixels=100_000)))
    assert 80_000 < small.width * small.height <= 100_000
    with pytest.raises(DocumentMissing, match="no page 3"):
        rendered(data, Scan(3), tmp_path)


def test_an_image_on_the_page_past_the_limit(tmp_path: Path) -> None:
    """Rendering decodes it at its own size."""
    pdf = pymupdf.open(stream=tiny_pdf([[Line(TEXT)]]))
    pdf[0].insert_image(pymupdf.Rect(0, 0, 9, 9), stream=png(400, 400))
    with pytest.raises(DocumentTooLarge, match="400 x 400 pixels"):
        rendered(pdf.tobytes(), Scan(1), tmp_path, ReadOptions(limits=Limits(pixels=100_000)))


def test_a_photo_is_turned_upright(tmp_path: Path) -> None:
    """Telephones store how they were held, and OCR reads no text that lies on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6
    image = rendered(png(format="JPEG", exif=exif, quality=95), Scan(1), tmp_path)
    assert image.size == (30, 40)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK", "I;16"])
def test_every_mode_becomes_rgb_on_white(mode: str, tmp_path: Path) -> None:
    """Transparent drawings are shown on white, and 16 bits a pixel are scaled, not cut off."""
    image = Image.new("RGBA", (8, 8), (0, 0, 0, 0)) if mode in ("LA", "RGBA") else Image.new("L", (8, 8), 255)
    image = Image.new("I;16", (8, 8), 65_535) if mode == "I;16" else image.convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, "TIFF")
    assert rendered(buffer.getvalue(), Scan(1), tmp_path).getpixel((4, 4)) == (255, 255, 255)


def test_frames_of_a_fax(tmp_path: Path) -> None:
    """Each frame of a TIFF is a page."""
    buffer = io.BytesIO()
    frames = [Image.new("L", (20 + n, 10)) for n in range(3)]
    frames[0].save(buffer, "TIFF", save_all=True, append_images=frames[1:])
    assert rendered(buffer.getvalue(), Scan(3), tmp_path).size == (22, 10)
    with pytest.raises(DocumentMissing, match="no frame 4"):
        rendered(buffer.getvalue(), Scan(4), tmp_path)
    with pytest.raises(DocumentTooLarge, match="200 pixels"):
        rendered(buffer.getvalue(), Scan(1), tmp_path, ReadOptions(limits=Limits(pixels=100)))


def test_a_scan_in_an_archive_in_an_archive(tmp_path: Path) -> None:
    """A scan knows the way to its file."""
    data = zipped("inner.zip", zipped("photo.png", png()))
    scans = [item for item in read_bytes(data, "outer.zip", OPTIONS).items if isinstance(item, Scan)]
    assert [scan.members for scan in scans] == [("inner.zip", "photo.png")]
    assert rendered(data, scans[0], tmp_path).size == (40, 30)


def test_pages_that_are_no_pictures(tmp_path: Path) -> None:
    """Text is not rendered."""
    with pytest.raises(FormatUnsupported, match="of kind text"):
        rendered(TEXT.encode(), Scan(1), tmp_path)
    with pytest.raises(DocumentCorrupt):
        rendered(png()[:40], Scan(1), tmp_path)


def test_parts_of_members_stay_below_their_name() -> None:
    """A section says in which file of an archive it stands."""
    parsed = read_bytes(zipped("notes.md", b"# Plans\n\nText of the plan.\n"), "a.zip", OPTIONS)
    headings = [(p.text, p.level) for p in parsed.items if isinstance(p, Part) and p.kind == "heading"]
    assert headings == [("notes.md", 1), ("Plans", 2)]
