"""A passage of the knowledge: what a search finds and a citation points to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Passage:
    """A parent chunk that a search found, and where it stands."""

    document: str
    """File name as ingested, `price-list.xlsx`."""
    document_id: str
    text: str
    """The parent chunk, for the model to read."""
    quote: str
    """The child chunk that matched; it stands in `text`."""
    start: int
    end: int
    """Offsets of `quote` in the document's parsed text: `parsed[start:end] == quote`."""
    score: float
    """The engine's score; higher is better, comparable within one search only."""
    page: int | None = None
    """1-based page or slide of `quote`, None where the format has none."""
    section: str = ""
    """Heading path, or sheet with cell range: `Chapter 2 > Prices`, `Plans!A2:F9`."""
    language: str = "und"
    """`en`, `zh` or `und`."""
    parent_id: str = ""
    """The same for the same parent, whichever child found it; "" where the index does not tell."""
    version: str = ""
    """Of the document; another one for other content."""
    tokens: int = 0
    """Of `text`, by the rule that the chunking counts by; 0 where the index does not tell."""

    @property
    def locator(self) -> str:
        """What a citation shows: `product-sheet.pdf, p. 3`."""
        if self.page is not None:
            return f"{self.document}, p. {self.page}"
        return f"{self.document}, {self.section}" if self.section else self.document
