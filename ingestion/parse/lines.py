"""How the lines of a page become running text again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

BULLET = re.compile(r"^([•‣▪◦●○■\uf000-\uf0ff]\s*|([–—\-*·]|\(?(\d{1,3}|[a-z])[.)])(\s+(?=\S)|$))")
"""The mark of a list item; symbol fonts put theirs at U+F000 to U+F0FF."""
_NUMBER = re.compile(r"\(?(\d{1,3}|[a-z])[.)]$")
_CJK = re.compile(r"[\u3000-\u9fff\uf900-\ufaff\uff00-\uffef]")


def join(text: str, line: str) -> str:
    """`line` after `text`: no space between Chinese characters, a word cut by a hyphen put together."""
    if not text or not line:
        return text or line
    last = text[-1]
    if last == "-" and text[-2:-1].isalpha() and line[0].islower():
        return text[:-1] + line
    # Most text ends before the Chinese characters begin, and is not worth a search.
    chinese = last >= "\u3000" and _CJK.match(last) and _CJK.match(line)
    return text + line if chinese else f"{text} {line}"


def joined(lines: Sequence[str]) -> str:
    """All of them as one line of text."""
    whole = _flat(" ".join(lines))
    # Nothing but a space stands between the lines of most paragraphs.
    if len(lines) == 1 or (whole.isascii() and "- " not in whole):
        return whole
    text = ""
    for line in lines:
        text = join(text, _flat(line))
    return text


def begins_item(line: str) -> bool:
    """Whether a line that is stripped begins with the mark of a list item."""
    # Two letters are none, and begin most lines: to know takes a quarter of the search.
    return not line[:2].isalpha() and BULLET.match(line) is not None


def _flat(line: str) -> str:
    """With single spaces alone; only these are printable, and few lines hold others."""
    return line.strip() if line.isprintable() and "  " not in line else " ".join(line.split())


def in_cell(lines: Iterable[str]) -> str:
    """As `joined`, of a table's cell: so narrow a column breaks compounds, it does not hyphenate words."""
    text = ""
    for line in lines:
        flat = _flat(line)
        text = text + flat if text.endswith("-") else join(text, flat)
    return text


def item(text: str) -> str:
    """A list item with its mark as Markdown has it: `- `, or its number."""
    mark = BULLET.match(text)
    if not mark:
        return f"- {text}"
    sign, rest = mark.group().strip(), text[mark.end() :]
    return f"{sign} {rest}" if _NUMBER.match(sign) else f"- {rest}"
