"""Two readers of page images: the better one first, and the other where that is unavailable."""

from __future__ import annotations

import structlog

from ingestion.document import Part
from ingestion.ocr.reading import ReadImage
from runtime.errors import OcrUnavailable

log = structlog.get_logger()


def with_fallback(first: ReadImage, second: ReadImage) -> ReadImage:
    """Reads by `second` what `first` cannot read now, and logs why.

    Raises OcrUnavailable with both reasons where neither can.
    """

    async def read(png: bytes) -> list[Part]:
        try:
            return await first(png)
        except OcrUnavailable as exc:
            why = exc
        log.warning("ocr.fell_back", why=str(why))
        try:
            return await second(png)
        except OcrUnavailable as exc:
            raise OcrUnavailable(f"{why}; then {exc}") from exc

    return read
