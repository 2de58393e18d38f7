"""What a parser returned, put together as a document."""

from __future__ import annotations

from ingestion.document import Document, Part, assemble
from ingestion.options import ReadOptions
from ingestion.parsed import Parsed

OPTIONS = ReadOptions()


def seen(parsed: Parsed) -> Document:
    """The document of all parts; scans are left out."""
    parts = (item for item in parsed.items if isinstance(item, Part))
    return assemble("test", parts, pages=parsed.pages, notes=parsed.notes)
