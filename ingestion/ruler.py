"""A document under a ruler: tokens of any slice, and how far a number of tokens reaches."""

from __future__ import annotations

import unicodedata
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from ingestion.document import Block, Document
from ingestion.tokens import TOKEN, Count, count

_ZERO_WIDTH_JOINER = "\u200d"
_SKIN_TONES = ("\U0001f3fb", "\U0001f3ff")
_FLAGS = ("\U0001f1e6", "\U0001f1ff")
_MARKS = frozenset(("Mn", "Me", "Mc"))
_LONGEST_GLYPH = 16
"""Tokens looked back over for a place that parts no glyph."""
_CLOSE = 32
"""A reach that leaves less than a 32nd of the limit free is far enough."""
_GUESSES = 4
"""By proportion, which is near after two or three."""
_HALVINGS = 32
"""Enough for any document."""


class Piece(NamedTuple):
    """A slice that begins and ends with something other than white space."""

    start: int
    end: int
    tokens: int
    """Of prefix and slice together."""
    prefix: str = ""
    """Header of the table that the slice continues."""


class Ruler:
    """Offsets are of `document.text`. The text is scanned once; our own rule then counts by looking up."""

    def __init__(self, document: Document, rule: Count = count) -> None:
        self.document = document
        self.text = document.text
        self.rule = rule
        self._starts = array("I", (match.start() for match in TOKEN.finditer(self.text)))
        self._prefixes = {"": 0}
        self._blocks = [block.start for block in document.blocks]

    def tokens(self, start: int, end: int, prefix: str = "") -> int:
        """Of the slice below `prefix`."""
        if self.rule is count:
            inside = bisect_left(self._starts, end) - bisect_left(self._starts, start)
            return inside + self._prefix_tokens(prefix) if prefix else inside
        text = self.text[start:end]
        return self.rule(f"{prefix}\n{text}" if prefix else text)

    def piece(self, start: int, end: int, prefix: str = "") -> Piece:
        """The slice without the white space around it, which must not be all of it."""
        start, end = self.trim(start, end)
        return Piece(start, end, self.tokens(start, end, prefix), prefix)

    def trim(self, start: int, end: int) -> tuple[int, int]:
        """The slice without the white space around it; (end, end) if there is nothing else."""
        text = self.text
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        return start, end

    def blocks(self, start: int, end: int) -> Sequence[Block]:
        """The blocks that the slice touches, at least one; it begins and ends within blocks."""
        first = bisect_right(self._blocks, start) - 1
        return self.document.blocks[max(first, 0) : bisect_left(self._blocks, end)]

    def block(self, piece: Piece) -> Block:
        """The block in which a piece begins."""
        return self.document.blocks[bisect_right(self._blocks, piece.start) - 1]

    def cuts(self, start: int, end: int, last: int) -> Sequence[int]:
        """The places before each of the last `last` words or signs that begin in the slice."""
        stop = bisect_left(self._starts, end)
        return self._starts[max(bisect_left(self._starts, start), stop - last) : stop]

    def reach(self, start: int, end: int, limit: int, prefix: str = "") -> int:
        """How far from `start`, which is no white space, `limit` tokens reach below `prefix`; at most `end`.

        At least one character on, and between glyphs (base and marks, emoji sequences) where one fits.
        """
        low = bisect_right(self._starts, start)
        high = bisect_left(self._starts, end)
        if self.rule is count:
            at = min(low - 1 + limit - self._prefix_tokens(prefix), high)
        else:
            at = self._search(Piece(start, end, limit, prefix), low, high)
        if at < low:
            return self._into_word(start, self._cut(low, high, end), limit, prefix)
        whole = at
        while low < whole < high and whole > at - _LONGEST_GLYPH and self.parts_glyph(self._starts[whole]):
            whole -= 1
        if whole < high and self.parts_glyph(self._starts[whole]):
            whole = at
        return self.trim(start, self._cut(whole, high, end))[1]

    def parts_glyph(self, at: int) -> bool:
        """Whether a cut there would part what a reader sees as one sign."""
        after, before = self.text[at], self.text[at - 1]
        return (
            after == _ZERO_WIDTH_JOINER
            or before == _ZERO_WIDTH_JOINER
            or unicodedata.category(after) in _MARKS
            or _SKIN_TONES[0] <= after <= _SKIN_TONES[1]
            or (_FLAGS[0] <= after <= _FLAGS[1] and _FLAGS[0] <= before <= _FLAGS[1])
        )

    def _prefix_tokens(self, prefix: str) -> int:
        """Counted once, since every row of a table asks."""
        if prefix not in self._prefixes:
            self._prefixes[prefix] = count(prefix)
        return self._prefixes[prefix]

    def _cut(self, index: int, high: int, end: int) -> int:
        return end if index >= high else self._starts[index]

    def _search(self, within: Piece, low: int, high: int) -> int:
        """The index of the furthest cut within the limit, or near it; `low - 1` when there is none.

        It depends on the slice alone, so that the same text is cut at the same places wherever it stands.
        """
        start, end, limit, prefix = within
        fits, over = low - 1, high + 1
        guess = low - 1 + limit
        for turn in range(_GUESSES + _HALVINGS):
            guess = min(max(guess, fits + 1), over - 1)
            tokens = self.tokens(*self.trim(start, self._cut(guess, high, end)), prefix)
            fits, over = (guess, over) if tokens <= limit else (fits, guess)
            if over - fits <= 1 or (fits == guess and (limit - tokens) * _CLOSE <= limit):
                break
            proportional = low - 1 + (guess - low + 1) * limit // max(tokens, 1)
            guess = proportional if turn < _GUESSES else (fits + over) // 2
        return fits

    def _into_word(self, start: int, end: int, limit: int, prefix: str) -> int:
        """Within one word or sign that alone is above the limit."""
        for at in range(self.trim(start, end)[1] - 1, start, -1):
            if self.tokens(start, at, prefix) <= limit:
                return at
        return start + 1
