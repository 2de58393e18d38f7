"""Parent–child chunks: small children to find, larger parents to read, both slices of the document's text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from ingestion.document import Block, Document, Kind
from ingestion.language import Language, language_of
from ingestion.split import Span, lines, split
from ingestion.table import header_of
from ingestion.tokens import count

_SHORT_SECTION = 4
"""A section joins the parent before it while that one holds less than a quarter of the limit."""


@dataclass(frozen=True)
class Chunk:
    """A slice: `document.text[start:end] == text`."""

    id: str
    """blake2b of document id, role, offsets and text, 32 hex digits: the same content, the same id."""
    parent_id: str
    """Its own id for a parent."""
    text: str
    start: int
    end: int
    prefix: str
    """Header rows of a table that was cut before this slice; not part of `text`."""
    kind: Kind
    page: int | None
    """1-based page on which it begins."""
    section: str
    language: Language
    tokens: int
    """Of prefix and text together, by the rule of `ingestion.tokens`."""

    @property
    def full_text(self) -> str:
        """The text under its repeated table header."""
        return f"{self.prefix}\n{self.text}" if self.prefix else self.text


class Family(NamedTuple):
    """A parent and the children that cover it."""

    parent: Chunk
    children: tuple[Chunk, ...]


class _Unit(NamedTuple):
    """A piece of one block that is not cut any further at this level."""

    span: Span
    block: Block
    prefix: str = ""

    @property
    def tokens(self) -> int:
        return self.span.tokens + count(self.prefix)


def chunk(document: Document, document_id: str, *, child_tokens: int, parent_tokens: int) -> list[Family]:
    """The document in parents of at most `parent_tokens`, each in children of at most `child_tokens`.

    Together the parents hold every block, in order, without overlap. A parent opens at a heading unless the
    section before is short; a child never spans two sections or pages. A table's rows are never split while
    they fit a parent, and its header row goes with every piece, so a child that holds a single row may be
    larger than `child_tokens`. A row or a header larger than a parent is cut like prose.
    """
    units = [
        unit
        for block in document.blocks
        for unit in _cut(document.text, block, Span(block.start, block.end, 0), parent_tokens, parent_tokens)
    ]
    families = []
    for pack in _pack_parents(units, parent_tokens):
        parent = _chunk(document, document_id, pack, None)
        smaller = [
            piece
            for unit in pack
            for piece in _cut(document.text, unit.block, unit.span, child_tokens, parent_tokens)
        ]
        children = [
            _chunk(document, document_id, p, parent.id) for p in _pack_children(smaller, child_tokens)
        ]
        families.append(Family(parent, tuple(children)))
    return families


def _cut(text: str, block: Block, span: Span, limit: int, row_limit: int) -> Iterator[_Unit]:
    """The units of one block, or of the slice of it that stands in a parent."""
    header = header_of(block.text) if block.kind == "table" else ""
    if not header or count(header) > row_limit // 2:
        by_line = block.kind in ("list", "table")
        yield from (_Unit(s, block) for s in split(text, span.start, span.end, limit, by_line=by_line))
        return
    for rows in _row_groups(text, block, span, limit, row_limit, header):
        starts_table = rows[0].start == block.start
        whole = Span(rows[0].start, rows[-1].end, sum(row.tokens for row in rows))
        yield _Unit(whole, block, "" if starts_table else header)


def _row_groups(
    text: str, block: Block, span: Span, limit: int, row_limit: int, header: str
) -> Iterator[list[Span]]:
    """Consecutive rows that fit `limit` together with the header; the header's own lines stay with a row."""
    header_tokens = count(header)
    header_end = block.start + len(header)
    room = max(limit - header_tokens, limit // 2)
    group: list[Span] = []
    size = 0
    for row in lines(text, span.start, span.end):
        if row.end <= header_end:
            group.append(row)
            continue
        for piece in _row_pieces(text, block, row, room, row_limit - header_tokens):
            if size and size + piece.tokens > room:
                yield group
                group, size = [], 0
            group.append(piece)
            size += piece.tokens
    if group:
        yield group


def _row_pieces(text: str, block: Block, row: Span, room: int, row_limit: int) -> list[Span]:
    """The row itself, unless it is too large for a parent, or the rest of such a row."""
    opens = row.start == block.start or text[row.start - 1] == "\n"
    closes = row.end == block.end or text[row.end] == "\n"
    if opens and closes and row.tokens <= row_limit:
        return [row]
    return split(text, row.start, row.end, room)


def _pack_parents(units: Sequence[_Unit], limit: int) -> Iterator[list[_Unit]]:
    """Units of one section and its short neighbours; a heading never ends a pack that has something else."""
    pack: list[_Unit] = []
    for unit in units:
        size = sum(u.tokens for u in pack)
        if pack and (unit.prefix or size + unit.tokens > limit or _opens_parent(unit, pack, size, limit)):
            carried = _trailing_headings(pack)
            if len(carried) == len(pack) or unit.prefix or _tokens(carried) + unit.tokens > limit:
                carried = []
            yield pack[: len(pack) - len(carried)]
            pack = carried
        pack = [*pack, unit]
    if pack:
        yield pack


def _opens_parent(unit: _Unit, pack: Sequence[_Unit], size: int, limit: int) -> bool:
    if unit.block.kind != "heading" or pack[-1].block.kind == "heading":
        return False
    return unit.block.level == 1 or size * _SHORT_SECTION >= limit


def _trailing_headings(pack: Sequence[_Unit]) -> list[_Unit]:
    first = len(pack)
    while first and pack[first - 1].block.kind == "heading":
        first -= 1
    return list(pack[first:])


def _tokens(units: Sequence[_Unit]) -> int:
    return sum(unit.tokens for unit in units)


def _pack_children(units: Sequence[_Unit], limit: int) -> Iterator[list[_Unit]]:
    """Neighbouring units of one section and page; a table stands alone under its heading."""
    pack: list[_Unit] = []
    for unit in units:
        if pack and not _joins(unit, pack, limit):
            yield pack
            pack = []
        pack.append(unit)
    if pack:
        yield pack


def _joins(unit: _Unit, pack: Sequence[_Unit], limit: int) -> bool:
    last = pack[-1].block
    if unit.prefix or _tokens(pack) + unit.tokens > limit or unit.block.page != last.page:
        return False
    if last.kind == "heading":
        return True
    return unit.block.section == last.section and "table" not in (unit.block.kind, last.kind)


def _chunk(document: Document, document_id: str, pack: Sequence[_Unit], parent_id: str | None) -> Chunk:
    start, end = pack[0].span.start, pack[-1].span.end
    text = document.text[start:end]
    role = "parent" if parent_id is None else "child"
    own_id = digest(document_id, role, str(start), str(end), text)
    said = next((unit.block for unit in pack if unit.block.kind != "heading"), pack[-1].block)
    return Chunk(
        id=own_id,
        parent_id=parent_id or own_id,
        text=text,
        start=start,
        end=end,
        prefix=pack[0].prefix,
        kind=said.kind,
        page=pack[0].block.page,
        section=said.section,
        language=language_of(text),
        tokens=_tokens(pack),
    )


def digest(*parts: str) -> str:
    """32 hex digits that name this sequence of strings."""
    whole = "\0".join(part.replace("\0", "") for part in parts)
    return blake2b(whole.encode(), digest_size=16).hexdigest()
