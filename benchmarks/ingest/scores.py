"""How well a document was read: texts, cells and orders against what is known to be right."""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from statistics import median
from typing import NamedTuple

from ingestion.table import Cell

_GRAM = 5
"""Characters by which a sentence is found in a text; of Chinese that is two words."""
_MARKUP = (
    (re.compile(r"<!--.*?-->", re.DOTALL), " "),
    (re.compile(r"</?[a-zA-Z][^<>]*>"), " "),
    (re.compile(r"\]\((?:[^()\n]|\([^()\n]*\))*\)"), " "),  # the target of a link
    (re.compile(r"^\s*(?:\|[\s|:-]*-[\s|:-]*|-{3,}\s*)$", re.MULTILINE), " "),
    (re.compile(r"^\s*(?:#{1,6}|[-*+•◦▪·‣]|>)\s+", re.MULTILINE), " "),
    (re.compile(r"!?\[|[|*_`\\\]]"), " "),
    (re.compile(r"(?<=\w)[-\u00ad]\s+(?=\w)"), ""),  # hyphens at the ends of lines
    (re.compile(r"\s+"), " "),
    (re.compile(r"(?<!\w) | (?!\w)"), ""),
)


def bare(text: str) -> str:
    """The characters that a reader sees, NFKC, with blanks only where they part words.

    Markdown's and HTML's signs go, and hyphens that end a line: there is a library for each way to write
    them. So do signs that are text (`a_b`, `[5]`), on both sides of a comparison.
    """
    text = html.unescape(text)
    for sign, instead in _MARKUP:
        text = sign.sub(instead, text)
    return unicodedata.normalize("NFKC", text)


def similarity(one: str, other: str) -> float:
    """2 M / T, in [0, 1]: as difflib's ratio, but M is the longest common subsequence of the bare texts, not
    the matches that difflib happens to take; T is the length of both. 1 for two empty texts."""
    one, other = bare(one), bare(other)
    total = len(one) + len(other)
    return 2 * common(one, other) / total if total else 1.0


def recall(truth: str, read: str) -> float:
    """The share of the truth's characters that were read, in the truth's order; white space does not count.
    Texts that were read in another order lose what is out of order. 1 for an empty truth."""
    wanted, found = (unicodedata.normalize("NFKC", "".join(text.split())) for text in (truth, read))
    return common(wanted, found) / len(wanted) if wanted else 1.0


def common(one: str, other: str) -> int:
    """Length of the longest common subsequence, by rows of bits: H. Hyyrö, Bit-parallel LCS-length
    computation revisited (AWOCA 2004), figure 1."""
    places: dict[str, int] = {}
    for at, sign in enumerate(one):
        places[sign] = places.get(sign, 0) | 1 << at
    whole = (1 << len(one)) - 1
    row = whole
    for sign in other:
        matches = row & places.get(sign, 0)
        row = ((row + matches) | (row - matches)) & whole
    return len(one) - row.bit_count()


class Found(NamedTuple):
    """Cells of tables: right ones, those there are, those that were read."""

    right: int
    truth: int
    read: int

    @property
    def f1(self) -> float:
        """2 right / (truth + read), in [0, 1]; 1 where there is nothing."""
        return 2 * self.right / (self.truth + self.read) if self.truth + self.read else 1.0


def cells_found(truth: Iterable[Cell], read: Sequence[Iterable[Cell]]) -> Found:
    """The cells of one table against all tables that were read in its document.

    A cell is right with the same place, the same spans and the same text, white space left out; empty cells
    do not count. Right ones are counted in the best of the tables, read ones in all.
    """
    wanted = _placed(truth)
    tables = [_placed(cells) for cells in read]
    best = max(((wanted & table).total() for table in tables), default=0)
    return Found(best, wanted.total(), sum(table.total() for table in tables))


def added(founds: Iterable[Found]) -> Found:
    """Of many tables; a large one weighs more than a small one."""
    right, truth, read = (sum(column) for column in zip(*founds, (0, 0, 0), strict=True))
    return Found(right, truth, read)


def _placed(cells: Iterable[Cell]) -> Counter[tuple[int, int, int, int, str]]:
    texts = ((cell, "".join(cell.text.split())) for cell in cells)
    return Counter((c.row, c.column, c.row_span, c.column_span, text) for c, text in texts if text)


def order(sentences: Sequence[str], read: str) -> float:
    """Kendall's tau, in [-1, 1], of the sentences' order and their places in the text that was read: the
    share of pairs in order less that of pairs the other way round. 1 is in order, 0 is by chance.

    A sentence that is not found is in no pair; nan with fewer than two found.
    """
    text = "".join(read.split())
    once = _single_grams(text)
    places = [place for sentence in sentences if (place := _place(sentence, once)) is not None]
    pairs = list(combinations(places, 2))
    return sum((a < b) - (a > b) for a, b in pairs) / len(pairs) if pairs else float("nan")


def _single_grams(text: str) -> Mapping[str, int]:
    """Where each piece of text begins that stands in it once."""
    grams = [text[at : at + _GRAM] for at in range(len(text) - _GRAM + 1)]
    times = Counter(grams)
    return {gram: at for at, gram in enumerate(grams) if times[gram] == 1}


def _place(sentence: str, once: Mapping[str, int]) -> float | None:
    text = "".join(sentence.split())
    grams = (text[at : at + _GRAM] for at in range(len(text) - _GRAM + 1))
    return median(found) if (found := [once[gram] for gram in grams if gram in once]) else None
