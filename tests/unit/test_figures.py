"""Figures in digits and in words."""

from __future__ import annotations

from decimal import Decimal

import pytest

from nodes.figures import counted, figures, spelled


@pytest.mark.parametrize(
    ("text", "found"),
    [("4,000 and 4000.00", {4000}), ("99.95 %", {Decimal("99.95")}), ("１２ 席", {12}), ("none", set())],
)
def test_digits_are_read_however_they_are_grouped(text: str, found: set[object]) -> None:
    """A model writes a figure in its own way."""
    assert figures(text) == found


@pytest.mark.parametrize(
    ("text", "number"),
    [("三百二十席", 320), ("十五天", 15), ("两万元", 20_000), ("二〇一六年", 2016), ("twelve weeks", 12)],
)
def test_words_are_numbers(text: str, number: int) -> None:
    """What proves, and what has to be proved."""
    assert number in spelled(text)
    assert number in counted(text)


def test_articles_are_not_figures() -> None:
    """ "One thing" and 一个 claim no number."""
    assert counted("one thing, 一个问题") == set()
