"""Recommendations and their reasons."""

from __future__ import annotations

import pytest

from ingestion.document import Part, assemble
from ingestion.recommend import recommend
from ingestion.strategy import build
from ingestion.table import render

TABLE = Part("table", render([["Plan", "Price"], *([f"Plan {i}", f"{i} USD"] for i in range(200))]))
SENTENCES = "This sentence has some words in it. "


def sections(number: int, sentences: int) -> list[Part]:
    """Headings with text below them."""
    text = Part("paragraph", SENTENCES * sentences)
    return [part for i in range(number) for part in (Part("heading", f"H{i}", 2), text)]


@pytest.mark.parametrize(
    ("parts", "strategy", "reason"),
    [
        ([], "parent_child", "with 0 tokens it fits one parent"),
        ([Part("paragraph", "Short.")], "parent_child", "with 2 tokens it fits one parent"),
        ([Part("paragraph", SENTENCES), TABLE], "table", "99% of the text is in tables"),
        (sections(12, 20), "markdown", "12 headings part it into sections of 160 tokens"),
        (sections(2, 200), "parent_child", "3202 tokens under 2 headings"),
        (sections(200, 1), "parent_child", "under 200 headings"),
        ([Part("paragraph", "no stop at all here " * 300)], "fixed", "its sentences have 1500 tokens"),
    ],
)
def test_recommendations(parts: list[Part], strategy: str, reason: str) -> None:
    """Each rule, by a document that it is for; what is recommended can be built."""
    made = recommend(assemble("d", parts))
    assert made.strategy == strategy and reason in made.reasons[0]
    assert build(made.strategy, made.parameters).name == strategy


def test_remarks() -> None:
    """What matters whatever is chosen."""
    parts = [
        Part("paragraph", "价格太高了，我们再谈。" * 90, confidence=0.5),
        Part("list", "- 一项内容在这里。\n" * 90),
        Part("table", "| Plan | Price |\n| --- | --- |\n| Team | 39 USD |"),
    ]
    said = " ".join(recommend(assemble("d", parts)).reasons)
    assert all(
        word in said for word in ("tables are", "lists are", "it is Chinese", "sure of one block by 50%")
    )
