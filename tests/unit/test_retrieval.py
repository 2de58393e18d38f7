"""Several searches as one list."""

from __future__ import annotations

from nodes.citations import Source, source
from nodes.grading import in_turn
from nodes.retrieval import merge
from runtime.passage import Passage


def found(parent: str, quote: str = "") -> Source:
    text = f"{parent} {quote}"
    return source(Passage("a.md", "a", text, text, 0, len(text), 1.0, parent_id=parent))


def test_what_several_searches_find_comes_first() -> None:
    """And each parent once, with the quote of its best rank."""
    lists = [
        [found("A"), found("B", "second")],
        [found("C"), found("D"), found("B", "third")],
    ]
    merged = merge(lists)
    assert [one["key"] for one in merged] == ["B", "A", "C", "D"]
    assert merged[0]["quote"] == "B second"


def test_no_lists_are_no_passages() -> None:
    """Nor is a list without any."""
    assert merge([]) == merge([[], []]) == []


def test_each_question_gets_its_best_passage_first() -> None:
    """Where the window ends, none of them is left with nothing."""
    lists = [[found("A"), found("B")], [found("C"), found("A")], []]
    assert [one["key"] for one in in_turn(lists)] == ["A", "C", "B"]
