"""Chunks: small children to find, larger parents to read, both slices of the document's text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import NamedTuple

from ingestion.document import Block, Kind
from ingestion.language import Language, language_of
from ingestion.ruler import Piece, Ruler

_SHEET_RANGE = re.compile(r".*![A-Z]{1,3}\d+(?::[A-Z]{1,3}\d+)?", re.DOTALL)


@dataclass(frozen=True)
class Chunk:
    """A slice: `document.text[start:end] == text`."""

    id: str
    """blake2b of document id, role, full text and, from the second of the same on, its number; 32 hex digits.
    Offsets are not in it: a chunk keeps its id when the text before it changes."""
    parent_id: str
    """Its own id for a parent."""
    text: str
    """What it repeats of the chunk before, where a strategy overlaps, is part of it."""
    start: int
    end: int
    prefix: str
    """Header rows of a table that was cut before this slice; not part of `text`."""
    kind: Kind
    page: int | None
    """1-based page on which it begins."""
    page_end: int | None
    """1-based page on which it ends."""
    section: str
    """Heading path, or sheet and range, of its first block that is no heading."""
    language: Language
    tokens: int
    """Of prefix and text together, by the rule that the strategy counts by."""

    @property
    def full_text(self) -> str:
        """The text under its repeated table header."""
        return f"{self.prefix}\n{self.text}" if self.prefix else self.text

    @property
    def sheet_range(self) -> str:
        """`Plans!A2:F9` where it is of a sheet, else ""."""
        return self.section if _SHEET_RANGE.fullmatch(self.section) else ""


class Family(NamedTuple):
    """A parent and the children that cover it."""

    parent: Chunk
    children: tuple[Chunk, ...]


class Draft(NamedTuple):
    """A family before its chunks have ids."""

    parent: Piece
    children: Sequence[Piece]


class Pack(NamedTuple):
    """Neighbouring pieces, and the piece that they are together."""

    whole: Piece
    pieces: Sequence[Piece]


def flat(pieces: Iterable[Piece]) -> Iterator[Draft]:
    """Every piece as a parent with itself as the only child: what strategies of one level make."""
    return (Draft(piece, (piece,)) for piece in pieces)


def families(ruler: Ruler, document_id: str, drafts: Iterable[Draft]) -> list[Family]:
    """The chunks of `drafts`, in their order."""
    ids = _Ids(document_id)
    made = []
    for draft in drafts:
        parent = _chunk(ruler, draft.parent)
        parent_id = ids.of("parent", parent)
        parent = replace(parent, id=parent_id, parent_id=parent_id)
        children = [parent if piece == draft.parent else _chunk(ruler, piece) for piece in draft.children]
        named = (replace(child, id=ids.of("child", child), parent_id=parent_id) for child in children)
        made.append(Family(parent, tuple(named)))
    return made


def pack(
    ruler: Ruler, pieces: Sequence[Piece], limit: int, joins: Callable[[Sequence[Piece], Piece], bool]
) -> Iterator[Pack]:
    """Runs of neighbours that fit `limit` together, each as long as `joins(run, next)` holds.

    A piece with a prefix, which continues a table, always opens a run; a heading ends one only where it
    cannot stand with what follows.
    """
    first = 0
    while first < len(pieces):
        last = first + 1
        size = pieces[first].tokens
        while last < len(pieces):
            after = pieces[last]
            if after.prefix or size + after.tokens > limit or not joins(pieces[first:last], after):
                break
            size += after.tokens
            last += 1
        # The pieces' tokens need not add up, and white space may count.
        whole, last = _fitting(ruler, pieces, first, last, limit)
        if (shorter := _before_headings(ruler, pieces, first, last, limit)) < last:
            whole, last = _fitting(ruler, pieces, first, shorter, limit)
        yield Pack(whole, pieces[first:last])
        first = last


def digest(*parts: str) -> str:
    """32 hex digits that name this sequence of strings."""
    whole = "\0".join(part.replace("\0", "") for part in parts)
    return blake2b(whole.encode(), digest_size=16).hexdigest()


class _Ids:
    """Ids of one document's chunks: the same content a second time gets another."""

    def __init__(self, document_id: str) -> None:
        self._document_id = document_id
        self._seen: Counter[str] = Counter()

    def of(self, role: str, chunk: Chunk) -> str:
        content = digest(self._document_id, role, chunk.full_text)
        self._seen[content] += 1
        number = self._seen[content]
        return content if number == 1 else digest(content, str(number))


def _chunk(ruler: Ruler, piece: Piece) -> Chunk:
    """The chunk of a piece, without its ids."""
    text = ruler.text[piece.start : piece.end]
    blocks = ruler.blocks(piece.start, piece.end)
    said = next((block for block in blocks if block.kind != "heading"), blocks[-1])
    return Chunk(
        id="",
        parent_id="",
        text=text,
        start=piece.start,
        end=piece.end,
        prefix=piece.prefix,
        kind=said.kind,
        page=blocks[0].page,
        page_end=blocks[-1].page,
        section=said.section,
        language=_language(blocks, text),
        tokens=piece.tokens,
    )


def _language(blocks: Sequence[Block], text: str) -> Language:
    """The blocks', where they are of one language and, if it is a single one, whole; else the text's own."""
    spoken = {block.language for block in blocks}
    return spoken.pop() if len(spoken) == 1 and len(blocks[0].text) <= len(text) else language_of(text)


def _fitting(ruler: Ruler, pieces: Sequence[Piece], first: int, last: int, limit: int) -> tuple[Piece, int]:
    """`pieces[first:last]` as one, shortened until it fits, and where it then ends."""
    if last - first == 1:
        return pieces[first], last
    whole = ruler.piece(pieces[first].start, pieces[last - 1].end, pieces[first].prefix)
    while whole.tokens > limit and last - first > 1:
        last -= max(1, (last - first) * (whole.tokens - limit) // whole.tokens)
        whole = ruler.piece(pieces[first].start, pieces[last - 1].end, pieces[first].prefix)
    return whole, last


def _before_headings(ruler: Ruler, pieces: Sequence[Piece], first: int, last: int, limit: int) -> int:
    """Where the headings begin that end `pieces[first:last]`, if they can stand with what follows."""
    if last == len(pieces) or pieces[last].prefix:
        return last
    at, size = last, pieces[last].tokens
    while at > first and ruler.block(pieces[at - 1]).kind == "heading":
        at -= 1
        size += pieces[at].tokens
    return at if first < at and size <= limit else last
