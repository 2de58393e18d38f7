"""How the cells of a workbook look, as far as it changes what a reader sees: percentages and unseen text."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

_PERCENT = re.compile(r"#?0?(?:\.(0+))?\s?%")
_TINY_POINTS = 1


class Look(NamedTuple):
    percent: int | None = None
    """Decimals of a percentage; None for other formats."""
    hidden: str = ""
    """Why nobody sees a text in this style."""


def looks_of(book: Any) -> list[Look]:
    """By style id of the openpyxl workbook. White text is hidden in a cell without a fill, or a white one."""
    return [_look(style, book) for style in book._cell_styles]


def _look(style: Any, book: Any) -> Look:
    number_format = _format_of(style.numFmtId, book)
    font, fill = book._fonts[style.fontId], book._fills[style.fillId]
    percent = _PERCENT.fullmatch(number_format.split(";")[0])
    hidden = ""
    if number_format == ";;;":
        hidden = "number format"
    elif font.sz is not None and font.sz <= _TINY_POINTS:
        hidden = "zero size"
    elif _is_white(font.color) and _is_bare(fill):
        hidden = "white on white"
    return Look(len(percent[1] or "") if percent else None, hidden)


def _format_of(number: int, book: Any) -> str:
    from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE  # type: ignore[import-untyped]  # ships no types

    if number < BUILTIN_FORMATS_MAX_SIZE:
        return str(BUILTIN_FORMATS.get(number, "General"))
    own, index = book._number_formats, number - BUILTIN_FORMATS_MAX_SIZE
    return str(own[index]) if index < len(own) else "General"


def _is_bare(fill: Any) -> bool:
    pattern = getattr(fill, "patternType", "gradient")
    return pattern in (None, "none") or (pattern == "solid" and _is_white(fill.fgColor))


def _is_white(colour: Any) -> bool:
    """Colour 0 of a theme is what its sheets are painted with; tints of it are greys."""
    if colour is None:
        return False
    if colour.type == "theme":
        return bool(colour.theme == 0 and not colour.tint)
    if colour.type == "indexed":
        return colour.indexed in (1, 9)
    return str(colour.rgb)[-6:].upper() == "FFFFFF"
