"""Markdown: the blocks that markdown-it finds, in their source form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from textwrap import dedent
from typing import TYPE_CHECKING

from ingestion.document import Document, Kind, Part, assemble
from ingestion.encoding import decode
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


def parse(data: bytes, name: str) -> Document:
    """Blocks as they stand in the file, emphasis and links included; front matter and comments dropped.

    Raises DocumentCorrupt for binary data.
    """
    from markdown_it import MarkdownIt

    text = decode(data)
    if text is None:
        raise DocumentCorrupt(f"{name!r} is not text", document=name)
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    text = _COMMENT.sub("", _FRONT_MATTER.sub("", text))
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    return assemble(name, _parts(tokens, text.split("\n")))


def _parts(tokens: Sequence[Token], lines: Sequence[str]) -> Iterator[Part]:
    for i, token in enumerate(tokens):
        if token.level or token.map is None or token.type not in _KINDS:
            continue
        if token.type == "heading_open":
            yield Part("heading", tokens[i + 1].content, level=int(token.tag[1]))
        else:
            first, last = token.map
            yield Part(_KINDS[token.type], dedent("\n".join(lines[first:last])))
