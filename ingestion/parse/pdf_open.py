"""PDF files opened: encrypted, damaged and overgrown ones refused before a page is read."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ingestion.limits import Limits
from runtime.errors import DocumentCorrupt, DocumentEncrypted, DocumentTooLarge

_STREAM = re.compile(rb"stream\r?\n")
_SMALL_BYTES = 4_096
"""FlateDecode makes a thousand bytes of one at most, so a smaller stream does no harm."""
_HEAD_BYTES = 512
_PIECE_BYTES = 65_536
_UNPACKED_AT_ONCE = 1_000_000


@contextmanager
def opened(data: bytes, name: str, limits: Limits) -> Iterator[Any]:
    """PyMuPDF's document. JavaScript and actions in it are never run, what it refers to is not fetched.

    Raises DocumentEncrypted, DocumentCorrupt (no pages; PyMuPDF's own errors pass), DocumentTooLarge
    (`limits.pages`, `limits.unpacked_bytes`).
    """
    import pymupdf

    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    # Importing pymupdf4llm does so for the whole process: lines would be higher until the first page that
    # needs it, and lower ever after. Asking each character's font also takes a third of the extraction.
    pymupdf.TOOLS.unset_quad_corrections(True)
    _refuse_bombs(data, name, limits)
    with pymupdf.open(stream=data, filetype="pdf") as pdf:
        if pdf.needs_pass:
            raise DocumentEncrypted(f"{name!r} is encrypted with a password", document=name)
        if pdf.page_count == 0:
            raise DocumentCorrupt(f"{name!r} has no pages", document=name)
        if pdf.page_count > limits.pages:
            raise DocumentTooLarge(
                f"{name!r} has {pdf.page_count} pages; at most {limits.pages} are read",
                document=name,
                limit=limits.pages,
            )
        yield pdf


def forget() -> None:
    """Drops the fonts and images that MuPDF keeps of pages read, 256 MB of them, and its warnings."""
    import pymupdf

    pymupdf.TOOLS.store_shrink(100)
    pymupdf.TOOLS.reset_mupdf_warnings()


def _refuse_bombs(data: bytes, name: str, limits: Limits) -> None:
    """Adds up what FlateDecode streams unpack to, of those that begin more tightly packed than any page is.

    A bomb within a bomb, or behind an innocent beginning, is left to the process's own limits.
    """
    total = 0
    for start in _STREAM.finditer(data):
        at = start.end()
        if data.find(b"endstream", at, at + _SMALL_BYTES) >= 0 or data.endswith(b"end", 0, start.start()):
            continue
        total += _unpacked(data, at, limits.unpacked_bytes - total, limits.ratio)
        if total > limits.unpacked_bytes:
            raise DocumentTooLarge(
                f"the streams of {name!r} unpack to more than {limits.unpacked_bytes} bytes",
                document=name,
                limit=limits.unpacked_bytes,
            )


def _unpacked(data: bytes, start: int, most: int, ratio: int) -> int:
    """Bytes of the stream at `start`, counted to just above `most`; 0 where it is packed `ratio` or less."""
    unpack = zlib.decompressobj()
    try:
        size = len(unpack.decompress(data[start : start + _HEAD_BYTES], _UNPACKED_AT_ONCE))
        if size <= ratio * _HEAD_BYTES:
            return 0
        at = start + _HEAD_BYTES
        while size <= most and not unpack.eof:
            packed = unpack.unconsumed_tail or data[at : (at := at + _PIECE_BYTES)]
            if not packed:
                break
            size += len(unpack.decompress(packed, _UNPACKED_AT_ONCE))
    except zlib.error:
        return 0  # another filter, or damaged: MuPDF will say
    return size
