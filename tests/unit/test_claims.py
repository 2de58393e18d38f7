"""Cutting an answer into its claims, and proving each."""

from __future__ import annotations

import pytest

from nodes.claims import claims, claims_something, supports, unsupported
from tests.fakes import DOCUMENTS

CARD = DOCUMENTS["battlecard.pdf"][0]
PRICES = DOCUMENTS["price-list.xlsx"][0]
GUIDE = DOCUMENTS["guide.zh.md"][0]


@pytest.mark.parametrize(
    ("answer", "parts"),
    [
        ("One. [1] Two. [2]", [("One", (1,)), ("Two", (2,))]),
        ("One [1]. Two [2][3].", [("One", (1,)), ("Two", (2, 3))]),
        ("One. Two. [1]", [("One", (1,)), ("Two", (1,))]),
        ("One [1] and more", [("One", (1,)), ("and more", ())]),
        ("- One. [1]\n- Two.", [("One", (1,)), ("Two", ())]),
        ("没有。[1]", [("没有", (1,))]),
        ("", []),
    ],
)
def test_markers_belong_to_the_sentences_before_them(
    answer: str, parts: list[tuple[str, tuple[int, ...]]]
) -> None:
    """However a model sets them; what no marker follows has none."""
    assert [(claim.text, claim.markers) for claim in claims(answer)] == parts


def test_claims_know_where_they_stand() -> None:
    """A client underlines these words, marker included."""
    answer = "First, 4.5 % [1].\n第二句。[2][3] Last"
    found = claims(answer)
    assert [answer[c.start : c.end] for c in found] == ["First, 4.5 % [1]", "第二句。[2][3]", "Last"]


@pytest.mark.parametrize(
    ("sentence", "is_supported"),
    [
        ("Harborline charges 4,000 dollars for onboarding", True),
        ("Harborline charges 5,000 dollars for onboarding", False),
        ("Loomdesk goes live in 3 to 4 weeks", True),
        ("Loomdesk goes live in three to four weeks", True),
        ("Loomdesk goes live in five to six weeks", False),
        ("Harborline charges 4000.00 dollars for onboarding", True),
        ("Our warranty covers accidental damage abroad", False),
        ("Harborline's onboarding is charged by Harborline: 4,000 dollars", True),
        ("Onboarding at Salesforce is charged from Professional on", False),
        ("上线费是 4,000 美元", True),
        ("上线费是 5,000 美元", False),
        ("Loomdesk 三到四周上线", True),
        ("Loomdesk 八到十周上线", False),
    ],
)
def test_a_claim_is_supported_by_figures_names_and_words(sentence: str, is_supported: bool) -> None:
    """Across languages the figures must do, in digits or in words."""
    assert supports(CARD, sentence) == is_supported


@pytest.mark.parametrize(
    ("sentence", "is_supported"),
    [
        ("The price per seat and month of Team on an annual contract is 39 USD", True),
        ("The price per seat and month of Team on an annual contract is 69 USD", False),
        ("Team costs 39 and Business 69 USD per seat and month", True),
        ("Minimum seats of Business: 15", True),
        ("Minimum seats of Business: 50", False),
    ],
)
def test_a_figure_stands_under_the_column_that_the_sentence_names(sentence: str, is_supported: bool) -> None:
    """The price of another plan is the likeliest of all wrong prices."""
    assert supports(PRICES, sentence) == is_supported


def test_a_chinese_passage_proves_an_english_sentence_by_its_figures() -> None:
    """A rep asks in one language, and the document is in the other."""
    assert supports(GUIDE, "Team costs 39 dollars per seat")
    assert not supports(GUIDE, "Team costs 49 dollars per seat")


def test_what_claims_nothing_needs_no_proof() -> None:
    """A question back, a word of courtesy; but a figure alone is a claim."""
    assert not claims_something("Which plan do you mean?")
    assert not claims_something("Yes")
    assert claims_something("It is 42")


def test_a_marker_that_points_to_nothing_is_none() -> None:
    """And the sentence is as unproved as one without."""
    answer = "Harborline charges 4,000 dollars for onboarding. [{}]"
    assert unsupported(answer.format(1), [CARD]) == []
    assert [c.markers for c in unsupported(answer.format(2), [CARD])] == [(2,)]
    assert [c.markers for c in unsupported(answer.format(0), [CARD])] == [(0,)]
