"""Pages and frames as PNG, for OCR to read."""

from __future__ import annotations

import warnings
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

from ingestion.limits import Limits
from runtime.errors import DocumentCorrupt, DocumentMissing, DocumentTooLarge

if TYPE_CHECKING:
    from PIL.Image import Image

_DPI = 150
"""OCR reads no better at 200."""
_POINTS_AN_INCH = 72
_FORMATS = ("PNG", "JPEG", "TIFF")


class Picture(NamedTuple):
    """A page as OCR reads it."""

    png: bytes
    scale: float
    """What one of its pixels is on the page: so many points of a PDF, 1 pixel of an image."""


def page_picture(data: bytes, name: str, number: int, limits: Limits) -> Picture:
    """Page `number`, from 1, of a PDF at 150 dpi; smaller where that has more than `limits.pixels`.

    Raises as opening the file does; DocumentMissing; DocumentTooLarge for a larger image on the page.
    """
    import pymupdf

    from ingestion.parse.pdf_open import opened
    from ingestion.parse.pdf_page import refuse_large_images

    with opened(data, name, limits) as pdf:
        if not 1 <= number <= pdf.page_count:
            raise DocumentMissing(f"{name!r} has no page {number}", document=name)
        page = pdf[number - 1]
        refuse_large_images(page.get_images(), number, limits)
        area = page.rect.width * page.rect.height
        # Rounding up may add a row and a column.
        zoom = min(_DPI / _POINTS_AN_INCH, (0.99 * limits.pixels / area) ** 0.5)
        pixmap = page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), colorspace=pymupdf.csRGB, alpha=False)
        return Picture(bytes(pixmap.tobytes("png")), 1 / zoom)


def frame_picture(data: bytes, name: str, number: int, limits: Limits) -> Picture:
    """Frame `number`, from 1, of an image: upright, RGB, on white where it is transparent.

    Raises DocumentMissing, DocumentTooLarge, DocumentCorrupt.
    """
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings(), Image.open(BytesIO(data), formats=_FORMATS) as image:
            # Pillow warns of its own limit, and of tags that it does not know.
            warnings.simplefilter("ignore")
            image.seek(number - 1)
            width, height = image.size
            if width * height > limits.pixels:
                raise DocumentTooLarge(
                    f"{name!r} has {width * height} pixels; the limit is {limits.pixels}",
                    document=name,
                    page=number,
                    limit=limits.pixels,
                )
            upright = _rgb(ImageOps.exif_transpose(image))
    except EOFError:
        raise DocumentMissing(f"{name!r} has no frame {number}", document=name) from None
    except Image.DecompressionBombError as exc:
        raise DocumentTooLarge(f"{name!r}: {exc}", document=name, limit=limits.pixels) from exc
    except (OSError, ValueError, SyntaxError, KeyError) as exc:
        # Pillow raises SyntaxError for a broken PNG, KeyError for a TIFF without its size.
        raise DocumentCorrupt(f"{name!r} cannot be read as an image: {exc}", document=name) from exc
    buffer = BytesIO()
    # Level 1 takes a fifth of the time of the default, and the PNG is read once.
    upright.save(buffer, "PNG", compress_level=1)
    return Picture(buffer.getvalue(), 1)


def _rgb(image: Image) -> Image:
    from PIL import Image as pillow

    if image.mode.startswith(("I", "F")):
        # 16 bits a pixel: Pillow's own conversion cuts off what is above 255.
        return image.convert("I").point(lambda value: value / 257).convert("L").convert("RGB")
    if image.has_transparency_data:
        shown = image.convert("RGBA")
        ground = pillow.new("RGBA", shown.size, "white")
        ground.alpha_composite(shown)
        return ground.convert("RGB")
    return image.convert("RGB")
