"""Markdown: the blocks that markdown-it finds, in their source form; tables with cells besides."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from textwrap import dedent
from typing import TYPE_CHECKING

from ingestion.document import Kind, Part
from ingestion.encoding import decode
from ingestion.options import ReadOptions
from ingestion.parsed import Parsed, Route
from ingestion.table import Cell
from runtime.errors import DocumentCorrupt

if TYPE_CHECKING:
    from markdown_it.token import Token

_KINDS: dict[str, Kind] = {
    "heading_open": "heading",
    "paragraph_open": "paragraph",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "table_open": "table",
    "fence": "paragraph",
    "code_block": "paragraph",
    "html_block": "paragraph",
    "blockquote_open": "paragraph",
}
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n.*?\n(---|\.\.\.)[ \t]*(\n|\Z)", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_UNSEEN = re.compile(
    r"<(\w+)\b[^>]*(?:\bhidden\b|display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0)[^>]*>(.*?)</\1\s*>",
    re.DOTALL | re.IGNORECASE,
)


def parse(data: bytes, name: str, options: ReadOptions) -> Parsed:
    """Blocks as they stand in the file, emphasis and links included; front matter is dropped with a note,
    comments without.

    Raises DocumentCorrupt for binary data.
    """
    from markdown_it import MarkdownIt

    text = decode(data)
    if text is None:
        raise DocumentCorrupt(f"{name!r} is not text", document=name)
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    front = _FRONT_MATTER.match(text)
    text = _COMMENT.sub("", text[front.end() :] if front else text)
    hidden = [Part("paragraph", found[2], hidden="hidden in HTML") for found in _UNSEEN.finditer(text)]
    text = _UNSEEN.sub("", text)
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    parts = (*_parts(tokens, text.split("\n")), *hidden)
    tables = sum(part.kind == "table" for part in parts)
    route = Route("markdown", "LOW", "markdown-it", (f"{tables} tables among {len(parts)} blocks",))
    notes = (f"left out: front matter, {len(front[0].splitlines()) - 2} lines",) if front else ()
    return Parsed(parts, route, notes=notes)


def _parts(tokens: Sequence[Token], lines: Sequence[str]) -> Iterator[Part]:
    for i, token in enumerate(tokens):
        if token.level or token.map is None or token.type not in _KINDS:
            continue
        first, last = token.map
        if token.type == "heading_open":
            yield Part("heading", tokens[i + 1].content, level=int(token.tag[1]))
        elif token.type == "table_open":
            yield Part("table", dedent("\n".join(lines[first:last])), cells=tuple(_cells(tokens, i)))
        else:
            yield Part(_KINDS[token.type], dedent("\n".join(lines[first:last])))


def _cells(tokens: Sequence[Token], start: int) -> Iterator[Cell]:
    row, column = -1, -1
    for i in range(start + 1, len(tokens)):
        kind = tokens[i].type
        if kind == "table_close":
            return
        if kind == "tr_open":
            row, column = row + 1, -1
        elif kind in ("th_open", "td_open"):
            column += 1
            if text := tokens[i + 1].content:
                yield Cell(row, column, text, header=kind == "th_open")
