"""Finding the words that answer."""

from __future__ import annotations

import pytest

from nodes.bilingual import Span, language_of, sentences, terms
from nodes.citations import as_annotations, citations, source
from nodes.concepts import concepts, in_both_languages, said
from nodes.evidence import ANSWERABLE_AT, best_span, coverage, weigh
from nodes.kinds import holds, kind_of
from nodes.places import places, readable
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
    """A header row is no answer itself."""
    found = places(TABLE)
    assert all(TABLE[p.span.start : p.span.end] == p.span.text for p in found)
    rows = [p for p in found if p.kind == "row"]
    assert len(rows) == 6 and all("Enterprise" in row.header for row in rows)
    assert not any("---" in p.span.text for p in found)


def test_short_lines_are_read_together() -> None:
    """On a slide the figure stands on one line, and what it counts on the next."""
    text = "Results\n\n31 %\n\nfaster first answers\n\nThese are reports, not promises."
    found = places(text)
    assert [(p.kind, p.span.text) for p in found] == [
        ("lines", "Results\n\n31 %\n\nfaster first answers"),
        ("sentence", "These are reports, not promises."),
    ]
    assert found[1].heading == "faster first answers"


def test_a_row_reads_as_a_sentence() -> None:
    """With the columns that were asked for, where the table is a matrix."""
    row = next(p.span for p in places(TABLE) if "monthly" in p.span.text)
    said_ = readable(TABLE, row, "How much is Business with monthly billing?")
    assert said_ == "Price per seat and month, monthly billing (USD) – Business: 83."
    assert readable("- **Never** say so.", Span("- **Never** say so.", 0, 19), "") == "Never say so."


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How long does the trial last?", "duration"),
        ("备份保留多少天？", "duration"),
        ("What does the pilot cost?", "money"),
        ("团队版多少钱？", "money"),
        ("When was it founded?", "date"),
        ("哪一年成立的？", "date"),
        ("By how much did it fall?", "share"),
        ("How many seats?", "number"),
        ("What is a champion?", "definition"),
        ("Do we sign a HIPAA agreement?", "any"),
    ],
)
def test_a_question_tells_what_kind_of_answer_it_wants(question: str, kind: str) -> None:
    """A sentence without a figure answers no `how many`."""
    assert kind_of(question) == kind


def test_a_text_holds_an_answer_of_a_kind() -> None:
    """In digits and in words, in both languages."""
    assert holds("duration", "three to four weeks") and holds("duration", "三到四周")
    assert not holds("duration", "It costs 30 dollars") and not holds("number", "as many as you like")
    assert holds("share", "42 %") and holds("any", "")


def test_concepts_stand_for_each_other() -> None:
    """Across languages by the glossary, across forms by their stems; Chinese is cut by the words at hand."""
    zh = concepts("组长最多可以批多少折扣？", "席位折扣。组长可以批到 10%。")
    assert {word for concept in zh for word in concept.chinese} >= {"组长", "折扣"}
    assert any("discou" in concept.latin for concept in zh)
    (encrypted,) = (c for c in concepts("How is it encrypted?", "") if c.factor >= 1)
    assert said("encryption at rest").holds(encrypted) and said("静态加密").holds(encrypted)
    assert [c.role for c in concepts("Who is the CEO of Brightloom?", "")] == ["focus", "entity"]


def test_a_question_in_both_languages_keeps_its_own_words() -> None:
    """For an engine that matches words."""
    assert in_both_languages("备份多久？").startswith("备份多久？ ") and "backup" in in_both_languages(
        "备份？"
    )
    assert "备份" in in_both_languages("How long are backups kept?")
    assert in_both_languages("Who won?") == "Who won?"


def test_coverage_counts_what_is_missing_everywhere_most() -> None:
    """One common word in common is no answer."""
    sources = [source(p) for p in passages()]
    assert max(coverage("What does Harborline charge for onboarding?", sources)) > 0.9
    assert max(coverage("What is the home address of Harborline's chairman?", sources)) < ANSWERABLE_AT
    assert coverage("", sources) == [0.0] * len(sources)


def _passage(document: str, text: str) -> dict[str, str]:
    return {"document": document, "section": "", "language": "en", "text": text}


def test_a_name_is_said_once_in_a_document() -> None:
    """On an order's first page, and its figures on the second; another document's figures are not its own."""
    first = _passage("order.pdf", "The order of Northgate Cinemas, for its three screens.")
    totals = _passage("order.pdf", "| Month | Shows booked |\n| --- | --- |\n| December | 48 |")
    asked = "How many shows are booked at Northgate Cinemas in December?"
    assert coverage(asked, [first, totals])[1] >= ANSWERABLE_AT
    assert coverage(asked, [first, {**totals, "document": "other.pdf"}])[1] < ANSWERABLE_AT


def test_whom_nobody_names_is_not_answered_by_another() -> None:
    """However many documents name them: what is said of one's chief does not hold for another's."""
    passages = [_passage(f"{n}.md", f"Brightloom sells desks, {n} of them.") for n in range(3)]
    passages.append(_passage("talk.md", "The CEO is calling your CTO right now."))
    assert max(coverage("Who is the CEO of Brightloom?", passages)) < ANSWERABLE_AT


def test_an_employee_is_no_employer() -> None:
    """What is done to somebody ends otherwise than who does it; plural and tense do not matter."""
    (employees,) = concepts("How many employees?", "")
    assert said("1,300 employees").holds(employees) and said("each employee").holds(employees)
    assert not said("IRS Employer Identification No.").holds(employees)
    (guaranteed,) = concepts("What is guaranteed?", "")
    assert said("our guarantee").holds(guaranteed)


def test_the_longest_of_a_glossary_row_is_taken() -> None:
    """电话号码 is one word, and not a phone with some number."""
    (phone,) = concepts("电话号码？", "")
    assert said("Telephone").holds(phone)


def test_words_that_count_are_no_part_of_what_they_count() -> None:
    """Else 个问题 and 年上半年 are sought, which no text holds."""
    pieces = {word for one in concepts("2023 年上半年有多少个仓库？", "") for word in one.chinese}
    assert "仓库" in pieces and "上半" in "".join(pieces)
    assert not any(word.startswith(("个", "年")) for word in pieces)


def test_a_figure_of_the_question_points_to_its_row() -> None:
    """Also where the row holds a range around it."""
    sources = [source(p) for p in passages()]
    best = weigh("Which discount is there for 30 seats on an annual contract?", sources)[0]
    assert best.place.span.text == "| 25 to 49 | 5 % |"
    best = weigh("Which discount is there for 120 seats on an annual contract?", sources)[0]
    assert best.place.span.text == "| 50 and more | 20 % |"


def test_text_that_says_nothing_has_no_best_span() -> None:
    """Then a caller falls back on what the search found."""
    assert best_span(DOCUMENTS["playbook.docx"][0], "Harborline") is None


def test_citations_point_into_the_document() -> None:
    """Offsets hold in the document's text, also for words outside the passage's own quote."""
    sources = [source(p) for p in passages()]
    answer = "Harborline charges 4,000 dollars for onboarding. [3] Nothing. [9]"
    found = citations(answer, sources)
    assert [c["marker"] for c in found] == ["[3]"]
    assert stands(dict(found[0])) and "4,000" in found[0]["quote"]
    (one,) = as_annotations(answer, sources)
    assert answer[one["start_index"] : one["end_index"]] == answer[: answer.index(" Nothing")]
