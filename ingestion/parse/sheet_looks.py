"""How the cells of a workbook look, as far as it tells something: percentages, units, unseen text."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

_PERCENT = re.compile(r"#?0?(?:\.(0+))?\s?%")
_TINY_POINTS = 1
_MAX_FORMAT_CHARS = 255
"""Excel takes no longer ones."""
_TOKEN = re.compile(
    r"""
      "(?P<quoted>[^"]*)"
    | \\(?P<escaped>.)
    | \[\$(?P<currency>[^\]-]*)(-[^\]]*)?\]        # [$€-407]: what is shown, then the language
    | (?P<colour>\[[A-Za-z]{3,}\s?\d*\])            # [Red], [Color 5]
    | (?P<space>_.|\s)                             # `_x` leaves as much room as `x` takes
    | (?P<fill>\*.)                                # `*x` fills the cell with `x`
    | (?P<number>General|[#0?.](?:[#0?,.]|\\?\s(?=[#0?]))*)
    | (?P<plain>[^\w\s"\[\]@%/\\]|[^\x00-\x7f])   # what needs no quotes; letters are of dates
    """,
    re.VERBOSE,
)
"""Of a number format (ISO/IEC 29500-1, 18.8.31); what it does not match changes the number itself."""
_SIGNS = " \xa0+-\u2013\u2014().,"


class Look(NamedTuple):
    percent: int | None = None
    """Decimals of a percentage; None for other formats."""
    hidden: str = ""
    """Why nobody sees a text in this style."""
    before: str = ""
    after: str = ""
    """The unit around a number, with its space: `$`, `EUR `, ` €`."""

    def shown(self, value: float) -> str:
        """As the sheet shows it, but with all its digits and none between thousands: `1299.5 EUR`."""
        if self.percent is not None:
            return f"{value * 100:.{self.percent}f}%"
        # Excel, too, shows no more than 15 digits of 0.1 + 0.2.
        digits = f"{value:.15g}" if isinstance(value, float) else str(value)
        sign = "-" if self.before and digits.startswith("-") else ""
        return f"{sign}{self.before}{digits.removeprefix(sign)}{self.after}"


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
    return Look(len(percent[1] or "") if percent else None, hidden, *_unit(number_format))


class _Unit(NamedTuple):
    before: str = ""
    after: str = ""


def _unit(number_format: str) -> _Unit:
    """Of positive numbers. None where the digits change: dates, fractions, thousands, conditions."""
    around, numbers, at = ["", ""], 0, 0
    # openpyxl's own formats 41 to 44 have no semicolons.
    shown = number_format[:_MAX_FORMAT_CHARS].split("_)_(")[0]
    while at < len(shown) and shown[at] != ";":
        token = _TOKEN.match(shown, at)
        if not token or (token["number"] or "").endswith(","):
            return _Unit()
        at = token.end()
        if token["number"]:
            numbers += 1
        else:
            written = token["quoted"] or token["escaped"] or token["currency"] or token["plain"]
            around[bool(numbers)] += written or " " * bool(token["space"])
    return _spaced(*around) if numbers == 1 else _Unit()


def _spaced(before: str, after: str) -> _Unit:
    """Letters stand apart from the digits, so that these can be found; a sign stands as it was written."""
    first, last = (" ".join(text.split()) if _is_unit(text) else "" for text in (before, after))
    if first and (first[-1].isalpha() or before[-1].isspace()):
        first += " "
    if last and (last[0].isalpha() or after[0].isspace()):
        last = f" {last}"
    return _Unit(first, last)


def _is_unit(text: str) -> bool:
    """Not of spaces, signs and brackets alone."""
    return bool(text.strip(_SIGNS))


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
