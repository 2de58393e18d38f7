"""Quotes that prove a score: accepted only where they stand. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TypedDict

from nodes.call import Turn


class Quote(TypedDict):
    """`transcript[turn]["text"][start:end] == text`."""

    turn: int
    speaker: str
    start: int
    end: int
    text: str


def locate(turns: Sequence[Turn], turn: int, words: str) -> Quote | None:
    """The quote where it stands in that turn, or None.

    Whitespace and full or half width may differ, nothing else may; `text` is what stands in the transcript.
    """
    if not 0 <= turn < len(turns):
        return None
    text = turns[turn]["text"]
    plain, places = _plain(text)
    wanted, _ = _plain(words)
    at = plain.find(wanted)
    if not wanted or at < 0:
        return None
    start, end = places[at], places[at + len(wanted) - 1] + 1
    return {
        "turn": turn,
        "speaker": turns[turn]["speaker"],
        "start": start,
        "end": end,
        "text": text[start:end],
    }


def stands(turns: Sequence[Turn], quote: Quote) -> bool:
    """Whether the quote stands at its turn and offsets, character by character."""
    if not 0 <= quote["turn"] < len(turns) or quote["start"] < 0:
        return False
    turn = turns[quote["turn"]]
    return bool(quote["text"]) and turn["text"][quote["start"] : quote["end"]] == quote["text"]


def _plain(text: str) -> tuple[str, list[int]]:
    """`text` without whitespace and in half width, and the place in `text` of each character."""
    plain: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        for half in unicodedata.normalize("NFKC", character):
            if not half.isspace():
                plain.append(half)
                places.append(place)
    return "".join(plain), places
