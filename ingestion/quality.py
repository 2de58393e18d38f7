"""Whether a text that a parser made of a page can be right: its quality floor."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from ingestion.options import Thresholds

_BAD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffd\ue000-\uf8ff]")
_SIGN = re.compile(r"[\W_]+")
_ASCII_SIGNS = {code: None for code in range(128) if not chr(code).isalnum()}
_MIN_CHARS = 20
"""Of a text, for its shares to mean anything."""


@dataclass(frozen=True)
class Quality:
    """Of a text, of one page or more; shares are in [0, 1]."""

    chars: int
    """Without white space."""
    bad_share: float
    """Of characters without meaning: U+FFFD, private use, control."""
    letters_share: float
    """Of letters, of any script, and digits."""
    lost_share: float
    """Of letters and digits in the page's own text layer, those that the text lacks, in any order."""


def quality_of(text: str, layer: str = "") -> Quality:
    """`layer` is what the file itself says stands there, "" where it says nothing."""
    letters = _letters(text)
    chars = len(text) - text.count(" ") - text.count("\n")
    return Quality(
        chars,
        len(_BAD.findall(text)) / chars if chars else 0.0,
        len(letters) / chars if chars else 0.0,
        _lost(letters, _letters(layer)) if layer else 0.0,
    )


def shortfall(quality: Quality, thresholds: Thresholds) -> str:
    """Why the text is below the floor, with the figure; "" where it is not."""
    if quality.lost_share > thresholds.max_lost_share:
        return f"{quality.lost_share:.0%} of the text layer was lost"
    if quality.chars < _MIN_CHARS:
        return ""
    if quality.bad_share > thresholds.max_bad_share:
        return f"{quality.bad_share:.0%} of the characters have no meaning"
    if quality.letters_share < thresholds.min_letters_share:
        return f"only {quality.letters_share:.0%} of the characters are letters or digits"
    return ""


def _letters(text: str) -> str:
    """And digits; of ASCII in a twelfth of the time."""
    return text.translate(_ASCII_SIGNS) if text.isascii() else _SIGN.sub("", text)


def _lost(letters: str, layer: str) -> float:
    if len(layer) < _MIN_CHARS:
        return 0.0
    return (Counter(layer) - Counter(letters)).total() / len(layer)
