"""Where a text may be cut: at line, sentence and clause ends, English and Chinese, within a token limit."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

from ingestion.document import Block
from ingestion.ruler import Piece, Ruler

# Runs are bounded: a page of dots would be looked through once for every dot.
_CLOSING = r"[\"'”’」』）】》〉)\]]{0,8}"
_STOP = re.compile(
    rf"[。！？；…｡؟।۔][。！？；…｡.!?]*{_CLOSING}|[.!?]{{1,16}}{_CLOSING}(?=[\s\u3400-\u9fff])|\n\s*\n"
)
_SURE = "。！？；｡؟।۔\n"
_CLAUSE = re.compile(rf"[，、：]{_CLOSING}|[,;:]{_CLOSING}(?=\s)|\n")
_SPACE = re.compile(r"\s+")
_LINE = re.compile(r"\n")
BY_LINE = ("list", "table")
"""Kinds of blocks whose lines belong apart: rows and items."""
_NEXT = re.compile(r"\s{0,24}[\"'“‘(\[]{0,8}(\w{0,24})")
_BEFORE = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]+\Z|\d+\Z")
_LONGEST_WORD = 24
_NEVER_LAST = frozenset(
    "mr mrs ms mx dr prof gen col capt lt sgt sen rep gov hon rev st mt messrs"
    " e.g i.e eg ie vs cf viz approx fig figs eq sec vol pp p ca incl excl est dept".split()
)
"""A name, an example or a number follows these."""
_MAYBE_LAST = frozenset(
    "inc ltd co corp llc plc bros jr sr etc al no nos ext ave blvd a.m p.m am pm"
    " jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thurs fri sat sun".split()
)
"""These end a sentence only where the next word is one that opens sentences; so do initials and `U.S.`."""
_OPENING = frozenset(
    "the a an this that these those it its he she we they you i our your their his her there in on at for"
    " from with by as if when while after before since because but and or so then however also please what"
    " why how who where which do does did is are was were no not yes let all each every".split()
)
_MIN_FILL = 4
"""A piece holds a quarter of what could stand in it before it may end: short sentences stay together."""


def sentence_ends(text: str, start: int = 0, end: int | None = None) -> Iterator[int]:
    """Offsets in (start, end] just behind a sentence, its closing quotes and brackets among it.

    A blank line ends one too. The stop of an abbreviation (`Mr.`, `e.g.`, `U.S. Army`), of a number (`3.5`),
    of an item's number (`1.`) and before a small letter does not. The end of the text is not among them.
    """
    stop = len(text) if end is None else end
    # Closing quotes, and what follows them, may stand behind `stop`.
    for match in _STOP.finditer(text, start, min(len(text), stop + _LONGEST_WORD)):
        at = match.start() if match[0][0] == "\n" else match.end()
        if at > stop:
            return
        if start < at < len(text) and _ends_sentence(text, match):
            yield at


def _ends_sentence(text: str, match: re.Match[str]) -> bool:
    if match[0][0] in _SURE:
        return True
    follows = _NEXT.match(text, match.end())
    next_word = follows[1] if follows else ""
    if next_word[:1].islower() and "\n\n" not in text[match.end() : match.end() + 3]:
        return False
    if match[0][0] != "." or match[0][1:2] == ".":
        return True
    before = _BEFORE.search(text[max(0, match.start() - _LONGEST_WORD) : match.start()])
    if before is None:
        return True
    word = before[0].lower()
    if word.isdigit():
        return not _opens_line(text, match.start() - len(word))
    if word in _NEVER_LAST:
        return False
    if word in _MAYBE_LAST or "." in word or (len(word) == 1 and before[0].isupper()):
        return not next_word or next_word.lower() in _OPENING
    return True


def _opens_line(text: str, at: int) -> bool:
    before = text[max(0, at - _LONGEST_WORD) : at]
    return not before.rpartition("\n")[2].strip() and (at <= _LONGEST_WORD or "\n" in before)


def block_ends(block: Block, start: int = 0, end: int | None = None) -> Iterator[int]:
    """Offsets in (start, end] where a reader may stop: sentence ends, rows, items, the block's own end.

    All offsets are the document's.
    """
    stop = block.end if end is None else min(end, block.end)
    first = max(start, block.start)
    if block.kind in BY_LINE:
        for match in _LINE.finditer(block.text, first - block.start, stop - block.start):
            yield block.start + match.start()
    elif block.kind != "heading":
        inside = sentence_ends(block.text, first - block.start, stop - block.start)
        yield from (block.start + at for at in inside)
    if start < block.end <= stop:
        yield block.end


def sentences(ruler: Ruler, block: Block, limit: int) -> Iterator[Piece]:
    """The sentences, rows or items of a block; longer ones cut like prose."""
    start = block.start
    for end in block_ends(block):
        yield from split(ruler, start, end, limit)
        start = end


def lines(ruler: Ruler, start: int, end: int) -> list[Piece]:
    """The lines of the slice that hold anything."""
    ends = [match.start() for match in _LINE.finditer(ruler.text, start, end)]
    spans = zip([start, *ends], [*ends, end], strict=True)
    return [ruler.piece(*span) for span in spans if ruler.text[slice(*span)].strip()]


def split(
    ruler: Ruler, start: int, end: int, limit: int, *, by_line: bool = False, prefix: str = ""
) -> list[Piece]:
    """Pieces of the slice of at most `limit` tokens below `prefix`; only white space lies between them.

    A cut is made at the latest of the best places: line ends first when `by_line` (lists, rows), then
    sentence ends, clause ends, white space, and inside a word only when nothing else is left.
    """
    pieces = []
    start, end = ruler.trim(start, end)
    while start < end:
        stop = ruler.reach(start, end, limit, prefix)
        if stop < end:
            stop = _best(ruler.text, start, stop, by_line)
        piece = within(ruler, ruler.piece(start, stop, prefix), limit)
        pieces.append(piece)
        start = ruler.trim(piece.end, end)[0]
    return pieces


def _best(text: str, start: int, reach: int, by_line: bool) -> int:
    earliest = start + max((reach - start) // _MIN_FILL, 1) - 1
    if by_line and (at := _last(_LINE, text, earliest, reach)):
        return at
    if at := max(sentence_ends(text, earliest, reach), default=0):
        return at
    if at := _last(_CLAUSE, text, earliest, reach):
        return at
    return _last(_SPACE, text, earliest, reach) or reach


def _last(pattern: re.Pattern[str], text: str, earliest: int, reach: int) -> int:
    """The last cut that the pattern allows in (earliest, reach]; 0 where there is none."""
    last = 0
    # One sign more, for white space that begins where the reach ends.
    for match in pattern.finditer(text, earliest, min(reach + 2, len(text))):
        at = match.start() if match[0].isspace() else match.end()
        if earliest < at <= reach:
            last = at
    return last


def within(ruler: Ruler, piece: Piece, limit: int) -> Piece:
    """The piece, less some words where a rule counts more for the beginning of a text than for all of it."""
    while piece.tokens > limit and (cuts := ruler.cuts(piece.start + 1, piece.end, 1)):
        piece = ruler.piece(piece.start, cuts[0], piece.prefix)
    return piece


def overlapped(ruler: Ruler, piece: Piece, floor: int, overlap: int, limit: int) -> Piece:
    """The piece with up to `overlap` tokens before it, from `floor` on, and at most `limit` in all.

    It then begins with a row or a sentence; within prose with a word, where no sentence fits, or else
    between two signs. It stays as it is where not even that fits.
    """
    cuts = ruler.cuts(floor, piece.start, 2 * overlap)
    cuts = cuts[bisect_left(cuts, True, key=lambda at: _fits(ruler, piece, at, overlap, limit)) :]
    if not cuts:
        return piece
    blocks = ruler.blocks(cuts[0] - 1, piece.start)
    ends = (end for block in blocks for end in block_ends(block, cuts[0] - 1, piece.start - 1))
    at = next((start for end in ends if (start := ruler.trim(end, piece.start)[0]) in cuts), None)
    if at is None and blocks[-1].kind not in BY_LINE:
        words = (at for at in cuts if ruler.text[at - 1].isspace())
        at = next(words, None) or next((at for at in cuts if not ruler.parts_glyph(at)), None)
    return ruler.piece(at, piece.end) if at and _fits(ruler, piece, at, overlap, limit) else piece


def _fits(ruler: Ruler, piece: Piece, at: int, overlap: int, limit: int) -> bool:
    return ruler.tokens(at, piece.start) <= overlap and ruler.tokens(at, piece.end) <= limit
