"""Plain text: paragraphs between blank lines."""

from __future__ import annotations

import re

from ingestion.document import Document, Part, assemble
from ingestion.encoding import decode
from runtime.errors import DocumentCorrupt

_ITEM = re.compile(r"^\s*([-*•‣·–]|\d{1,3}[.)、])\s*\S")


def parse(data: bytes, name: str) -> Document:
    """Paragraphs, and lists where every line is an item. Raises DocumentCorrupt for binary data."""
    text = decode(data)
    if text is None:
        raise DocumentCorrupt(f"{name!r} is not text", document=name)
    return assemble(name, (_part(piece) for piece in re.split(r"\n\s*\n", text.replace("\r\n", "\n"))))


def _part(text: str) -> Part:
    lines = [line for line in text.splitlines() if line.strip()]
    is_list = bool(lines) and all(_ITEM.match(line) for line in lines)
    return Part("list" if is_list else "paragraph", text)
