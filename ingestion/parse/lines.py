"""How the lines and words of a page become running text again."""

from __future__ import annotations

import re

TEXT_FLAGS = 2 | 64
"""PyMuPDF's TEXT_PRESERVE_WHITESPACE and TEXT_MEDIABOX_CLIP: ligatures come out as letters, pictures not at
all, text outside the page neither. As numbers, since importing PyMuPDF takes a second."""

BULLET = re.compile(r"^([•‣▪◦●○■–—\-*·]|\d{1,3}[.)])\s+\S")
_CJK = re.compile(r"[\u3000-\u9fff\uf900-\ufaff\uff00-\uffef]")


def join(text: str, line: str) -> str:
    """`line` after `text`: no space between Chinese characters, a word cut by a hyphen put together."""
    if not text:
        return line
    if text.endswith("-") and text[-2:-1].isalpha() and line[:1].islower():
        return text[:-1] + line
    return text + line if _CJK.match(text[-1]) and _CJK.match(line[0]) else f"{text} {line}"
