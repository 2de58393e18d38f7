"""What the benchmark of answers judges by: question sets, verdicts and the table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.answers.questions import Question, read_questions
from benchmarks.answers.report import findings, share
from benchmarks.answers.verdicts import Played, Verdict, holds, judged
from runtime.errors import InvalidInput

PRICE = Question(question="What does Team cost?", answer=[["39"]])
WEATHER = Question(question="明天天气怎么样？")


def state(text: str = "Team costs 39.", *, answerable: bool = True, quote: str = "") -> dict[str, Any]:
    """What the graph leaves, of an answer that cites its second source."""
    citations = [{"marker": "[2]", "quote": quote or text}] if answerable else []
    sources = [{"text": "Business costs 69."}, {"text": text}]
    return {"grade": {"answerable": answerable}, "citations": citations, "sources": sources}


def played(question: Question, verdict: Verdict) -> Played:
    return Played(question, verdict, False, "said so")


@pytest.mark.parametrize(
    ("text", "part", "held"),
    [
        ("5,616 dollars", ["5616"], True),
        ("It costs 139.", ["39"], False),
        ("三到四周", ["3 to 4 weeks", "三到四周"], True),
        ("Annual Plan", ["annual plan"], True),
    ],
)
def test_an_answer_stands_in_a_text(text: str, part: list[str], held: bool) -> None:
    """A figure that is only a part of another one proves nothing."""
    assert holds(text, [part]) is held


def test_only_what_is_cited_proves_an_answer() -> None:
    """The right words in a passage that the answer does not point to leave it unproved."""
    assert judged(PRICE, state(), "39 [2]").verdict == "answered"
    assert judged(PRICE, state("Team has five seats."), "Five. [2]").verdict == "wrong"
    assert judged(PRICE, state(answerable=False), "The playbook does not say.").verdict == "refused"


def test_the_words_quoted_are_held_against_the_answer_too() -> None:
    """The passage may hold it, and the citation point beside it."""
    assert judged(PRICE, state(), "").quoted
    assert not judged(PRICE, state("Team costs 39. Up to 100 seats.", quote="Up to 100 seats."), "").quoted


def test_what_the_documents_do_not_say_is_to_be_refused() -> None:
    """An answer to it is wrong whatever it cites."""
    assert judged(WEATHER, state(answerable=False), "").right
    assert judged(WEATHER, state(), "").verdict == "wrong"


def test_a_part_that_is_not_known_has_to_be_told() -> None:
    """Half an answer that is silent about the other half misleads."""
    half = Question(question="What does Team cost, and who is the CEO?", answer=[["39"]], unknown="CEO")
    assert judged(half, state(), "39 [2]\nThe playbook does not say: who is the CEO?").right
    assert not judged(half, state(), "39 [2]").right


def test_the_table_counts_by_language_and_by_kind() -> None:
    """And lists what failed, with what was said."""
    slide = Question(question="When is the fair?", answer=[["March 5"]], kind="slide")
    found = findings(
        [played(PRICE, "answered"), played(slide, "refused"), played(WEATHER, "wrong")], ["a.pdf: empty"]
    )
    counted, failed = found.tables
    rows = {row[0]: [int(cell) for cell in row[1:]] for row in counted.rows}
    assert rows["en"] == [2, 1, 0, 1, 0, 0, 0, 0] and rows["zh"] == [0, 0, 0, 0, 0, 1, 0, 1]
    assert rows["slide"] == [1, 0, 0, 1, 0, 0, 0, 0] and "money" in rows
    assert [row[0] for row in failed.rows] == [slide.question, WEATHER.question]
    assert [(goal.value, goal.met) for goal in found.goals] == [(0.5, False), (0.0, False)]
    assert found.remarks == ["Not ingested: a.pdf: empty"]


def test_a_share_of_nothing_misses_no_goal() -> None:
    """A set without questions of a kind says nothing about them."""
    assert share([]) == 1


def test_a_file_that_is_no_set_is_named(tmp_path: Path) -> None:
    """A misspelt key would otherwise make a question one to be refused."""
    file = tmp_path / "set.yaml"
    file.write_text("- {question: What?, answers: [[x]]}")
    with pytest.raises(InvalidInput, match=r"set\.yaml.*no question set"):
        read_questions(file)
    with pytest.raises(InvalidInput, match="no question set"):
        read_questions(tmp_path / "missing.yaml")
