"""PNG, JPEG and TIFF: every frame is a page that OCR has to read."""

from __future__ import annotations

import warnings
from io import BytesIO
from typing import TYPE_CHECKING

from ingestion.limits import Limits
from ingestion.options import ReadOptions
from ingestion.parsed import Parsed, Route, Scan
from runtime.errors import DocumentCorrupt, DocumentTooLarge

if TYPE_CHECKING:
    from PIL.Image import Image

_FORMATS = ("PNG", "JPEG", "TIFF")


def parse(data: bytes, name: str, options: ReadOptions) -> Parsed:
    """A scan for each frame; sizes come from the headers, nothing is decoded.

    Raises DocumentCorrupt, DocumentTooLarge.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            # Pillow warns of its own limit, and of tags that it does not know.
            warnings.simplefilter("ignore")
            with Image.open(BytesIO(data), formats=_FORMATS) as image:
                sizes = _sizes(image, name, options.limits)
    except Image.DecompressionBombError as exc:
        raise DocumentTooLarge(f"{name!r}: {exc}", document=name, limit=options.limits.pixels) from exc
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, KeyError) as exc:
        # Pillow raises SyntaxError for a broken PNG, KeyError for a TIFF without its size.
        raise DocumentCorrupt(f"{name!r} cannot be read as an image: {exc}", document=name) from exc
    frames = " and ".join(f"{width} × {height}" for width, height in sizes[:3])
    reason = f"{len(sizes)} pictures, of {frames} pixels" + (" …" if len(sizes) > 3 else "")
    scans = tuple(Scan(page) for page in range(1, len(sizes) + 1))
    return Parsed(scans, Route("image", "EXTREME", "ocr", (reason,)), pages=len(sizes))


def _sizes(image: Image, name: str, limits: Limits) -> list[tuple[int, int]]:
    sizes: list[tuple[int, int]] = []
    while True:
        width, height = image.size
        if width * height > limits.pixels:
            raise DocumentTooLarge(
                f"{name!r} has {width * height} pixels; the limit is {limits.pixels}",
                document=name,
                page=len(sizes) + 1,
                limit=limits.pixels,
            )
        sizes.append((width, height))
        if len(sizes) > limits.pages:
            raise DocumentTooLarge(
                f"{name!r} has more than {limits.pages} pages", document=name, limit=limits.pages
            )
        if image.format != "TIFF":
            # A second picture in a JPEG is its preview, in a PNG an animation.
            return sizes
        try:
            image.seek(len(sizes))
        except EOFError:
            return sizes
