"""Children become parents: each once, in an order that all of its children make."""

from __future__ import annotations

import pytest

from ingestion.index import Hit
from ingestion.parents import parents


def hit(score: float, parent: str, child: str = "") -> Hit:
    return Hit(score, {"parent_id": parent, "child_id": child or parent})


def test_each_parent_comes_once_by_its_best_child() -> None:
    """The model reads no passage twice, and the quote is the place that matched best."""
    found = parents([hit(9, "a", "a2"), hit(8, "b", "b1"), hit(7, "a", "a1"), hit(6, "b", "b2")], 10)
    assert [each.payload["child_id"] for each in found] == ["a2", "b1"]


def test_several_good_children_outweigh_one_slightly_better() -> None:
    """A parent that answers in two places comes before one that mentions the words once."""
    found = parents([hit(10, "once"), hit(9.5, "twice", "t1"), hit(9, "twice", "t2")], 10)
    assert [each.payload["parent_id"] for each in found] == ["twice", "once"]


def test_many_weak_children_do_not_outweigh_a_good_one() -> None:
    """A long table that shares a common word in every row does not bury the answer."""
    rows = [hit(4, "table", str(row)) for row in range(50)]
    assert parents([hit(10, "answer"), *rows], 1)[0].payload["parent_id"] == "answer"


def test_scores_are_of_all_children_and_fall() -> None:
    """What is shown beside a passage explains its place."""
    found = parents([hit(1, "a"), hit(0.5, "b"), hit(0.5, "a"), hit(0.25, "a")], 10)
    assert [each.score for each in found] == pytest.approx([1 + 0.1 * 0.5 + 0.01 * 0.25, 0.5])


def test_equal_scores_keep_their_order() -> None:
    """The same search gives the same list."""
    found = parents([hit(1, name) for name in "cab"], 2)
    assert [each.payload["parent_id"] for each in found] == ["c", "a"]


def test_nothing_gives_nothing() -> None:
    """A search without hits is no error."""
    assert parents([], 5) == []
