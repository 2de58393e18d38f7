"""What a reader may be told: limits, the router's thresholds, where models lie."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ingestion.limits import Limits


@dataclass(frozen=True)
class Thresholds:
    """Where the router draws its lines; set on 38 PDFs of five kinds. Shares are in [0, 1]."""

    blank_words: int = 3
    """A page with fewer words, fewer paths and less image than the three `blank_` values is blank."""
    blank_image_share: float = 0.02
    blank_paths: int = 30

    scan_chars: int = 50
    """With fewer characters, a page of pictures or of many paths (outlined letters) is a scan."""
    scan_image_share: float = 0.3
    scan_paths: int = 300
    layer_image_share: float = 0.8
    """An image this large may be a scan that somebody's OCR has already read."""
    layer_hidden_share: float = 0.9
    """Share of the text runs that are invisible or painted over by that image."""
    bad_share: float = 0.05
    """Share of characters without meaning (U+FFFD, private use, control): a font without a usable map."""
    picture_image_share: float = 0.6
    """A page mostly of picture, with fewer than `picture_chars`: a poster, read better as an image."""
    picture_chars: int = 250

    table_rows: int = 12
    """A page needs this many rows of text before tables can make it HIGH."""
    table_share: float = 0.30
    """Share of rows that are tabular: at least three segments with wide gaps between them."""
    ruled_table_share: float = 0.20
    """The same on a ruled page."""
    ruled_lines: int = 4
    """A page with as many horizontal and as many vertical lines is ruled."""

    some_table_share: float = 0.10
    """From each of these on a page is MEDIUM."""
    pair_rows: int = 3
    pair_share: float = 0.3
    """Share of rows with a wide gap in them: a table of two columns, or a form."""
    column_share: float = 0.15
    """Height of text blocks that stand side by side, against the page's height."""
    image_share: float = 0.2
    paths: int = 300

    document_share: float = 0.2
    """A document has the highest class that this share of its pages holds."""
    sampled_pages: int = 60
    """A longer document is judged by as many pages, evenly spread."""
    budget_s: float = 5.0
    """Time for the signals of one document; the pages seen until then decide."""

    min_letters_share: float = 0.2
    """Quality floor of a text: share of letters and digits among its visible characters."""
    max_bad_share: float = 0.05
    """Quality floor: share of characters without meaning."""
    max_lost_share: float = 0.3
    """Quality floor: share of the visible characters in the pages' text layer that a reader left out."""


@dataclass(frozen=True)
class ReadOptions:
    """How files are read."""

    limits: Limits = field(default_factory=Limits)
    thresholds: Thresholds = field(default_factory=Thresholds)
    docling_artifacts: Path | None = None
    """Folder of docling's PDF models; None looks where docling itself keeps them."""
