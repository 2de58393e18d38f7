"""What a parser process returns of one file: parts in reading order, and the pages that OCR has to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ingestion.document import Part

Level = Literal["LOW", "MEDIUM", "HIGH", "EXTREME"]
"""How hard a document is to read, and so which parser reads it."""
LEVELS: tuple[Level, ...] = ("LOW", "MEDIUM", "HIGH", "EXTREME")


@dataclass(frozen=True)
class Scan:
    """A page that is a picture: it stands in `Parsed.items` where its parts will."""

    page: int
    """1-based, of its own file; 1 for an image of one frame."""
    members: tuple[str, ...] = ()
    """The way to that file inside archives and mails, outermost first; () for the file itself."""
    parts: tuple[Part, ...] = ()
    """What the file itself says of the page, taken where OCR fails."""


@dataclass(frozen=True)
class Route:
    """How a file is read, and why."""

    format: str
    """`pdf`, `docx`, `image`, …"""
    level: Level
    parser: str
    """`pymupdf`, `pymupdf4llm`, `docling`, `docling-slim`, `ocr`, …"""
    reasons: tuple[str, ...]
    """Sentences with the figures they rest on, for `--explain`."""
    levels: tuple[tuple[Level, int], ...] = ()
    """Of a PDF: pages by level, blank ones left out."""
    escalated_from: Level | None = None
    """The level that was tried first, and yielded nothing good enough."""


@dataclass(frozen=True)
class Parsed:
    """A file as its parser left it."""

    items: tuple[Part | Scan, ...]
    route: Route
    pages: int | None = None
    """Pages, slides or frames; None where the format has none."""
    notes: tuple[str, ...] = ()
