"""What reads a picture of a page, whichever engine does it."""

from __future__ import annotations

from typing import Protocol

from ingestion.document import Part


class ReadImage(Protocol):
    """Parts in reading order, without a page; boxes in the image's pixels; no parts for an empty page.

    `confidence` is the mean over a part's characters, None where the engine tells none. Raises
    OcrUnavailable where nothing can read the image now, and the same call may succeed later; DocumentCorrupt
    for bytes that are no PNG.
    """

    async def __call__(self, png: bytes) -> list[Part]: ...
