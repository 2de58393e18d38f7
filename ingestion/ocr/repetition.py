"""Whether a model's text has run into a loop, as OCR models do on what they cannot read."""

from __future__ import annotations

import re

_TAIL_CHARS = 600
_MAX_PERIOD = 150
"""Characters; four times the same in a row is no text. Rows of dots in a table of contents are shorter."""
_MARKUP = re.compile(r"<[^<>]*>|\s+")
"""Left out: the cells of an empty form repeat themselves rightly."""


def repeats_itself(text: str) -> bool:
    """Whether its end consists of one passage over and over."""
    tail = _MARKUP.sub("", text[-20 * _TAIL_CHARS :])[-_TAIL_CHARS:]
    return len(tail) == _TAIL_CHARS and _period(tail) <= _MAX_PERIOD


def _period(text: str) -> int:
    """The least distance at which all of the text repeats (Knuth, Morris and Pratt's failure function)."""
    borders = [0] * len(text)
    matched = 0
    for at in range(1, len(text)):
        while matched and text[at] != text[matched]:
            matched = borders[matched - 1]
        matched += text[at] == text[matched]
        borders[at] = matched
    return len(text) - borders[-1]
