"""The figures of a text, however they are written. Pure."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from nodes.bilingual import fold

NUMBER: Final = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")

_ENGLISH: Final = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
        " sixteen seventeen eighteen nineteen twenty".split()
    )
} | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_ENGLISH_WORD: Final = re.compile(r"\b[a-z]+\b")
_DIGITS: Final = {character: number for number, character in enumerate("零一二三四五六七八九")} | {
    "两": 2,
    "〇": 0,
}
_UNITS: Final = {"十": 10, "百": 100, "千": 1_000, "万": 10_000}
_CHINESE: Final = re.compile(r"[零〇一二两三四五六七八九十百千万]+")
_COUNTED: Final = re.compile(
    r"[零〇一二两三四五六七八九十百千万]+(?=个|天|周|月|年|小时|分钟|步|条|席|家|种|名|人|位|倍|次|折|成|美元|元|块|到|至)"
)
_COUNTED_ENGLISH: Final = re.compile(
    r"\b(?!one\b)(" + "|".join(_ENGLISH) + r")\b(?=[ -](?:to|or|and|[a-z]{3,}))"
)


def figures(text: str) -> set[Decimal]:
    """Those written in digits; `4,000`, `4000` and `4000.00` are the same figure."""
    return {Decimal(found.replace(",", "")).normalize() for found in NUMBER.findall(fold(text))}


def spelled(text: str) -> set[Decimal]:
    """All that stand in words, in English up to ninety and in Chinese up to 万: for a text that may prove."""
    folded = fold(text)
    english = {_ENGLISH[word] for word in _ENGLISH_WORD.findall(folded) if word in _ENGLISH}
    # A range such as 三四 or a year such as 二〇一六 has no unit, so its digits count one by one too.
    chinese = {_DIGITS[character] for character in folded if character in _DIGITS}
    chinese |= {_value(found) for found in _CHINESE.findall(folded)}
    return {Decimal(number).normalize() for number in english | chinese}


def counted(text: str) -> set[Decimal]:
    """Those in words that count something: for a text that has to be proved.

    "One" and 一 are left out, since they are articles more often than figures.
    """
    folded = fold(text)
    english = {_ENGLISH[word] for word in _COUNTED_ENGLISH.findall(folded)}
    chinese = {_value(found) for found in _COUNTED.findall(folded)}
    return {Decimal(number).normalize() for number in (english | chinese) - {0, 1}}


def _value(numeral: str) -> int:
    """`三百二十` as 320; digits without units are read in a row, 二〇一六 as 2016."""
    if not any(character in _UNITS for character in numeral):
        return int("".join(str(_DIGITS[character]) for character in numeral))
    total = section = digit = 0
    for character in numeral:
        if character in _DIGITS:
            digit = _DIGITS[character]
        elif character == "万":
            total, section, digit = (total + section + digit or 1) * 10_000, 0, 0
        else:
            section, digit = section + (digit or 1) * _UNITS[character], 0
    return total + section + digit
