"""Plain text: paragraphs between blank lines."""

from __future__ import annotations

import re

from ingestion.document import Part
from ingestion.encoding import decode
from ingestion.options import ReadOptions
from ingestion.parsed import Parsed, Route
from runtime.errors import DocumentCorrupt

_ITEM = re.compile(r"^\s*([-*•‣·–]|\d{1,3}[.)、])\s*\S")


def parse(data: bytes, name: str, options: ReadOptions) -> Parsed:
    """Paragraphs, and lists where every line is an item. Raises DocumentCorrupt for binary data."""
    text = decode(data)
    if text is None:
        raise DocumentCorrupt(f"{name!r} is not text", document=name)
    pieces = re.split(r"\n\s*\n|\f", re.sub(r"\r\n?", "\n", text))
    parts = tuple(_part(piece) for piece in pieces if piece.strip())
    return Parsed(parts, Route("text", "LOW", "text", (f"{len(parts)} paragraphs",)))


def _part(text: str) -> Part:
    lines = [line for line in text.splitlines() if line.strip()]
    is_list = bool(lines) and all(_ITEM.match(line) for line in lines)
    return Part("list" if is_list else "paragraph", text.strip("\n"))
