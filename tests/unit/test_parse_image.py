"""Images: pages for OCR, measured before they are decoded."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image

from ingestion.limits import Limits
from ingestion.options import ReadOptions
from ingestion.parse import image
from ingestion.parsed import Scan
from runtime.errors import DocumentCorrupt, DocumentTooLarge
from tests.unit.seen import OPTIONS


def saved(format_: str, frames: int = 1) -> bytes:
    """An image of 40 × 30 pixels."""
    buffer = BytesIO()
    first, *others = (Image.new("RGB", (40, 30), (i, 0, 0)) for i in range(frames))
    first.save(buffer, format_, **({"save_all": True, "append_images": others} if others else {}))
    return buffer.getvalue()


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "TIFF"])
def test_an_image_is_a_page(format_: str) -> None:
    """Its text is OCR's business."""
    parsed = image.parse(saved(format_), "a", OPTIONS)
    assert parsed.items == (Scan(1),) and parsed.pages == 1
    assert parsed.route.level == "EXTREME" and "40 × 30" in parsed.route.reasons[0]


def test_frames_of_a_tiff() -> None:
    """A fax is a TIFF of many pages; an animated PNG is still one picture."""
    assert image.parse(saved("TIFF", 3), "a.tif", OPTIONS).items == (Scan(1), Scan(2), Scan(3))
    assert image.parse(saved("PNG", 3), "a.png", OPTIONS).items == (Scan(1),)
    with pytest.raises(DocumentTooLarge, match="more than 2 pages"):
        image.parse(saved("TIFF", 3), "a.tif", ReadOptions(limits=Limits(pages=2)))


def header(width: int, height: int) -> bytes:
    """A PNG that states this size and holds nothing."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return (
        b"\x89PNG\r\n\x1a\n" + body + struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    )


@pytest.mark.parametrize("size", [(12_000, 12_000), (50_000, 50_000)])
def test_too_many_pixels(size: tuple[int, int]) -> None:
    """A hundred bytes can state an image of gigabytes."""
    with pytest.raises(DocumentTooLarge, match="pixels"):
        image.parse(header(*size), "big.png", OPTIONS)


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n" + bytes(64), b"II*\x00" + bytes(8), b"\xff\xd8\xff\xe0"]
)
def test_broken_images(data: bytes) -> None:
    """The beginning of an image is none."""
    with pytest.raises(DocumentCorrupt, match="image"):
        image.parse(data, "broken.png", OPTIONS)
