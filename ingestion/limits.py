"""What a document may cost: every limit that a parser holds, in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Past any of these a document is refused as DOCUMENT_TOO_LARGE, naming value and limit."""

    bytes: int = 100_000_000
    """Of the file itself."""
    pages: int = 5_000
    pixels: int = 100_000_000
    """Of one image or rendered page, width times height."""
    nesting: int = 300
    """Of tags: docling's HTML backend recurses; 300 levels take it 0.4 s, at 500 it fails."""
    unpacked_bytes: int = 512 * 1024 * 1024
    """Of all that a ZIP, an office file or the streams of a PDF unpack to."""
    ratio: int = 200
    """Unpacked to packed bytes of an archive's member of more than a megabyte."""
    members: int = 1_000
    """Of an archive or a mail."""
    depth: int = 2
    """Archives and mails within each other."""
