"""Finding the words that answer, and proving the words that claim."""

from __future__ import annotations

import pytest

from nodes.bilingual import Span, language_of, sentences, terms
from nodes.citations import citations, source
from nodes.evidence import cited, coverage, places, readable, supports
from tests.fakes import DOCUMENTS, passages, stands

TABLE = DOCUMENTS["price-list.xlsx"][0]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("What is it?", "en"),
        ("多少钱？", "zh"),
        ("Harborline 的费用是多少？", "zh"),
        ("", "en"),
        ("The word 钱 means money here", "en"),
    ],
)
def test_the_language_of_a_text(text: str, language: str) -> None:
    """Names in Latin script do not make a Chinese question English."""
    assert language_of(text) == language


def test_sentences_keep_their_places() -> None:
    """Figures and file names are not torn apart."""
    text = "It costs 4.50 a day. See price.xlsx!\n价格不变。真的？ Yes"
    found = sentences(text)
    assert [s.text for s in found] == [
        "It costs 4.50 a day.",
        "See price.xlsx!",
        "价格不变。",
        "真的？",
        "Yes",
    ]
    assert all(text[s.start : s.end] == s.text for s in found)


def test_terms_meet_across_forms() -> None:
    """Plural, tense and width do not keep a question from its answer."""
    assert terms("prices priced") == terms("pricing")
    assert terms("ＳＳＯ") == terms("sso")
    assert "席位" in terms("每个席位")


def test_rows_know_their_columns_and_headings() -> None:
    """Headings and header rows are no answers themselves."""
    found = places(TABLE)
    assert all(TABLE[p.span.start : p.span.end] == p.span.text for p in found)
    rows = [p for p in found if p.header]
    assert len(rows) == 6 and all("Enterprise" in row.header for row in rows)
    assert not any("---" in p.span.text for p in found)


def test_a_row_reads_as_a_sentence() -> None:
    """With the columns that were asked for, where the table is a matrix."""
    row = next(p.span for p in places(TABLE) if "monthly" in p.span.text)
    said = readable(TABLE, row, "How much is Business with monthly billing?")
    assert said == "Price per seat and month, monthly billing (USD) – Business: 83."
    assert readable("- **Never** say so.", Span("- **Never** say so.", 0, 19), "") == "Never say so."


def test_coverage_counts_what_is_missing_everywhere_most() -> None:
    """One common word in common is no answer."""
    sources = [source(p) for p in passages()]
    assert max(coverage("What does Harborline charge for onboarding?", sources)) > 0.9
    assert max(coverage("What is the home address of Harborline's chairman?", sources)) < 0.5
    assert coverage("", sources) == [0.0] * len(sources)


@pytest.mark.parametrize(
    ("answer", "parts"),
    [
        ("One. [1] Two. [2]", [("One", [1]), ("Two", [2])]),
        ("One [1]. Two [2][3].", [("One", [1]), ("Two", [2, 3])]),
        ("One. Two. [1]", [("One. Two", [1])]),
        ("One [1] and more", [("One", [1]), ("and more", [])]),
        ("没有。[1]", [("没有", [1])]),
        ("", []),
    ],
)
def test_markers_belong_to_the_words_before_them(answer: str, parts: list[tuple[str, list[int]]]) -> None:
    """However a model sets them."""
    assert cited(answer) == parts


@pytest.mark.parametrize(
    ("sentence", "is_supported"),
    [
        ("Harborline charges 4,000 dollars for onboarding", True),
        ("Harborline charges 5,000 dollars for onboarding", False),
        ("Loomdesk goes live in 3 to 4 weeks", True),
        ("Harborline charges 4000.00 dollars for onboarding", True),
        ("Our warranty covers accidental damage abroad", False),
        ("上线费是 4,000 美元", True),
        ("上线费是 5,000 美元", False),
    ],
)
def test_a_claim_is_supported_by_figures_and_words(sentence: str, is_supported: bool) -> None:
    """Across languages the figures alone must do."""
    assert supports(DOCUMENTS["battlecard.pdf"][0], sentence) == is_supported


def test_citations_point_into_the_document() -> None:
    """Offsets hold in the document's text, also for words outside the passage's own quote."""
    sources = [source(p) for p in passages()]
    found = citations("Harborline charges 4,000 dollars for onboarding. [3] Nothing. [9]", sources)
    assert [c["marker"] for c in found] == ["[3]"]
    assert stands(dict(found[0])) and "4,000" in found[0]["quote"]
