"""Every strategy by the same properties, and each by the cases that matter to it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingestion.chunk import Chunk, Family
from ingestion.document import Document, Part, assemble
from ingestion.ruler import Ruler
from ingestion.strategies.semantic import distance, percentile
from ingestion.strategy import STRATEGIES, Strategy, build
from ingestion.table import header_of, render
from ingestion.tokens import count
from runtime.errors import InvalidInput
from tests.documents import DOCUMENTS, RULES, letters

PLANS = render([["Plan", "Seats", "Price"], *([f"Plan {i}", str(i), f"{i} USD"] for i in range(60))])


def embed(texts: Sequence[str]) -> list[dict[int, float]]:
    """Words as a sparse vector."""
    return [{ord(word[0]) * 31 + len(word): 1.0 for word in text.split()} for text in texts]


def small(name: str, rule: str, limit: int) -> Strategy:
    """The strategy with small limits, so that small documents are cut."""
    parameters = {"child_tokens": limit, "parent_tokens": 4 * limit}
    if name != "parent_child":
        parameters = {"tokens": limit}
    if name in ("recursive", "sentence", "fixed"):
        parameters["overlap"] = 20
    if name == "semantic":
        parameters["min_tokens"] = 4
    return build(name, parameters, rule=RULES[rule], embed=embed)


def texts_of(families: Sequence[Family]) -> list[str]:
    """Of the children."""
    return [child.text for family in families for child in family.children]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", STRATEGIES)
def test_properties(name: str, rule: str) -> None:
    """Nothing is lost, offsets hold, limits hold under any counting, the same again gives the same."""

    @settings(max_examples=25, deadline=None)
    @given(DOCUMENTS, st.integers(16, 64))
    @example(assemble("d", [Part("paragraph", "0 \u0c64\u200dࠀ𐀀𐀀")]), 16)
    def hold(document: Document, limit: int) -> None:
        strategy = small(name, rule, limit)
        families = strategy(document, "id")
        assert families == strategy(document, "id")
        check_offsets(document, families)
        check_cover(document, families)
        check_tokens(strategy, families, limit)

    hold()


def check_offsets(document: Document, families: Sequence[Family]) -> None:
    """Slices, not padded, in order, each id once."""
    chunks = [chunk for family in families for chunk in (family.parent, *family.children)]
    assert all(document.text[chunk.start : chunk.end] == chunk.text for chunk in chunks)
    assert all(chunk.text and chunk.text == chunk.text.strip() for chunk in chunks)
    assert len({chunk.id for chunk in chunks}) == len(chunks)
    for before, after in pairwise(child for family in families for child in family.children):
        assert before.start < after.start and before.end < after.end
    assert all(child.parent_id == parent.id for parent, children in families for child in children)


def check_cover(document: Document, families: Sequence[Family]) -> None:
    """Parents hold the document, and children their parents."""
    assert uncovered(document.text, [family.parent for family in families], 0, len(document.text)) == ""
    for parent, children in families:
        assert uncovered(document.text, children, parent.start, parent.end) == ""
        assert parent.start == children[0].start and parent.end == children[-1].end


def uncovered(text: str, chunks: Sequence[Chunk], start: int, end: int) -> str:
    """What stands between the chunks."""
    missing, at = "", start
    for chunk in chunks:
        missing += letters(text[at : chunk.start])
        at = max(at, chunk.end)
    return missing + letters(text[at:end])


def check_tokens(strategy: Strategy, families: Sequence[Family], limit: int) -> None:
    """As counted; only a single row is larger, and that fits a parent."""
    largest = 4 * limit if strategy.name in ("parent_child", "table") else limit
    for family in families:
        assert family.parent.tokens <= largest
        for chunk in (family.parent, *family.children):
            assert chunk.tokens == strategy.rule(chunk.full_text)
        for child in family.children:
            assert child.tokens <= limit or (is_one_row(child) and child.tokens <= largest)


def is_one_row(chunk: Chunk) -> bool:
    """Whether the chunk is one row, or a part of one, under its header."""
    header = chunk.prefix or header_of(chunk.text)
    rows = chunk.full_text.removeprefix(header).strip().splitlines()
    return chunk.kind == "table" and bool(header) and len(rows) == 1


@pytest.mark.parametrize("name", ["parent_child", "markdown", "table"])
def test_a_cut_table_repeats_its_header_and_keeps_its_rows(name: str) -> None:
    """A row without its header is a row of numbers nobody can read."""
    document = assemble("t", [Part("table", PLANS)])
    families = small(name, "rule", 48)(document, "id")
    chunks = [chunk for family in families for chunk in (family.parent, *family.children)]
    assert len(families) > 2
    lines = set(document.text.splitlines())
    for chunk in chunks:
        assert chunk.full_text.startswith("| Plan | Seats | Price |\n| --- | --- | --- |\n| Plan ")
        assert set(chunk.text.splitlines()) <= lines


@pytest.mark.parametrize("name", ["recursive", "sentence", "semantic"])
def test_rows_and_items_stay_whole(name: str) -> None:
    """A row that is cut gives its numbers to no plan."""
    parts = [Part("table", PLANS), Part("list", "\n".join(f"- Item {i}. And more." for i in range(40)))]
    document = assemble("t", parts)
    lines = set(document.text.splitlines())
    families = small(name, "rule", 40)(document, "id")
    assert all(set(text.splitlines()) <= lines for text in texts_of(families))


def test_a_row_larger_than_a_parent_is_cut() -> None:
    """A page laid out as one table cell must still fit the model's window."""
    document = assemble("t", [Part("table", render([["Key", "Text"], ["a", "word " * 500]]))])
    assert all(f.parent.tokens <= 128 for f in small("parent_child", "rule", 32)(document, "id"))


def test_parents_open_at_headings() -> None:
    """A parent holds one section, its heading first, unless sections are short."""
    long = "This sentence has some words. " * 10
    strategy = small("parent_child", "rule", 32)
    document = assemble("t", [p for t in "ABC" for p in (Part("heading", t, 2), Part("paragraph", long))])
    assert [f.parent.text[0] for f in strategy(document, "id")] == ["A", "B", "C"]
    assert [f.parent.section for f in strategy(document, "id")] == ["A", "B", "C"]
    short = [p for t in "ABC" for p in (Part("heading", t, 2), Part("paragraph", "Short."))]
    assert len(strategy(assemble("t", short), "id")) == 1


def test_a_heading_never_ends_a_parent() -> None:
    """A heading belongs to what follows it."""
    parts = [Part("paragraph", "Word " * 27), Part("heading", "Next", 2), Part("paragraph", "Text " * 110)]
    families = small("parent_child", "rule", 32)(assemble("t", parts), "id")
    assert families[1].parent.text.startswith("Next")


def test_a_child_keeps_to_its_page_and_section() -> None:
    """A quote is cited by one page and one section."""
    parts = [
        Part("paragraph", "One.", page=1),
        Part("paragraph", "Two.", page=2),
        Part("heading", "H", 2, page=2),
        Part("paragraph", "Three.", page=2),
    ]
    [family] = small("parent_child", "rule", 32)(assemble("t", parts), "id")
    assert [(c.text, c.page, c.page_end, c.section) for c in family.children] == [
        ("One.", 1, 1, ""),
        ("Two.", 2, 2, ""),
        ("H\n\nThree.", 2, 2, "H"),
    ]


def test_markdown_never_crosses_its_headings() -> None:
    """Sections down to the level asked for stand apart; lower ones may stand together."""
    levels = [(1, "A"), (2, "B"), (3, "C"), (3, "D"), (2, "E")]
    document = assemble(
        "t", [p for n, t in levels for p in (Part("heading", t, n), Part("paragraph", "Text."))]
    )
    at_two = build("markdown", {"level": 2})(document, "id")
    assert [family.parent.section for family in at_two] == ["A", "A > B", "A > E"]
    assert len(build("markdown", {"level": 3})(document, "id")) == 5
    chapter = assemble("t", [Part("heading", "A", 1), Part("heading", "B", 2), Part("paragraph", "Text.")])
    assert texts_of(build("markdown")(chapter, "id")) == ["A\n\nB\n\nText."]


def test_tables_stand_apart_from_the_text_between_them() -> None:
    """A table under its heading; text by whole sentences."""
    parts = [
        Part("paragraph", "Before it. " * 30),
        Part("heading", "Plans", 2),
        Part("table", PLANS[:90]),
        Part("paragraph", "After it. " * 3),
    ]
    texts = texts_of(build("table", {"tokens": 64})(assemble("t", parts), "id"))
    assert all(text.endswith("it.") for text in texts[:-2])
    assert texts[-2].startswith("Plans\n\n| Plan |") and texts[-1].startswith("After it.")


def test_overlap_begins_with_a_sentence() -> None:
    """What is repeated is read as a sentence, and stays within the limit."""
    text = " ".join(f"This is sentence number {i}." for i in range(60))
    document = assemble("t", [Part("paragraph", text)])
    families = build("sentence", {"tokens": 48, "overlap": 25})(document, "id")
    for before, after in pairwise(family.parent for family in families):
        assert after.text.startswith("This is sentence")
        assert after.start < before.end
        assert count(document.text[after.start : before.end]) <= 12 and after.tokens <= 48


def test_fixed_windows_have_their_size_and_overlap() -> None:
    """So many tokens, so many of them again."""
    document = assemble("t", [Part("paragraph", "word " * 500)])
    chunks = [family.parent for family in build("fixed", {"tokens": 100, "overlap": 20})(document, "id")]
    assert [chunk.tokens for chunk in chunks[:-1]] == [100] * (len(chunks) - 1)
    assert all(count(document.text[b.start : a.end]) == 20 for a, b in pairwise(chunks))


@pytest.mark.parametrize("overlap", [0, 40])
def test_a_window_parts_no_glyph(overlap: int) -> None:
    """A family of emoji cut in half is two strangers, where a window begins as where it ends."""
    family = "👨\u200d👩\u200d👧\u200d👦"
    document = assemble("t", [Part("paragraph", family * 40)])
    texts = texts_of(build("fixed", {"tokens": 24, "overlap": overlap})(document, "id"))
    assert {text.replace(family, "") for text in texts} == {""}
    assert (sum(map(len, texts)) > len(document.text)) == (overlap > 0)


@pytest.mark.parametrize("dense", [True, False])
def test_semantic_cuts_where_the_subject_changes(dense: bool) -> None:
    """By dense and by sparse vectors alike."""

    def see(texts: Sequence[str]) -> list[Sequence[float] | dict[int, float]]:
        about = [("price" in text, "security" in text) for text in texts]
        return [list(map(float, a)) if dense else {i: 1.0 for i, x in enumerate(a) if x} for a in about]

    text = " ".join(["The price is fair."] * 20 + ["Our security is certified."] * 20)
    document = assemble("t", [Part("paragraph", text)])
    texts = texts_of(build("semantic", {"window": 0, "min_tokens": 8}, embed=see)(document, "id"))
    assert [("price" in text, "security" in text) for text in texts] == [(True, False), (False, True)]


def test_a_chapter_is_a_parent_of_its_own() -> None:
    """However short the one before it; a title and the headings right below it stay together."""
    parts = [
        Part("heading", "Guide", 1),
        Part("heading", "Prices", 1),
        Part("paragraph", "Net."),
        Part("heading", "Terms", 1),
        Part("paragraph", "Thirty days."),
        Part("heading", "Late", 2),
        Part("paragraph", "Two percent."),
    ]
    families = build("parent_child")(assemble("d", parts), "id")
    assert [family.parent.text for family in families] == [
        "Guide\n\nPrices\n\nNet.",
        "Terms\n\nThirty days.\n\nLate\n\nTwo percent.",
    ]


def test_a_table_is_a_child_of_its_own() -> None:
    """A question about a figure is answered by the table, not by the prose around it."""
    table = render([["Plan", "Price"], ["Team", "39"]])
    parts = [Part("paragraph", "So they are."), Part("table", table), Part("paragraph", "All net.")]
    assert texts_of(build("parent_child")(assemble("d", parts), "id")) == ["So they are.", table, "All net."]


def test_chapters_without_text_are_not_run_together() -> None:
    """A chapter's heading joins its first section's, and no other chapter's."""
    parts = [
        Part("heading", "One", 1),
        Part("heading", "Two", 1),
        Part("heading", "Of two", 2),
        Part("paragraph", "Text."),
    ]
    texts = texts_of(build("markdown")(assemble("d", parts), "id"))
    assert texts == ["One", "Two\n\nOf two\n\nText."]


def test_semantic_leaves_no_scraps() -> None:
    """Below the least number of tokens a change of subject ends nothing."""

    def see(texts: Sequence[str]) -> list[list[float]]:
        return [[float("price" in text), float("security" in text)] for text in texts]

    about = ["The price is fair."] * 2 + ["Our security is certified."] * 2
    text = " ".join(about * 6)
    document = assemble("t", [Part("paragraph", text)])
    given = {"window": 0, "percentile": 50, "min_tokens": 24, "tokens": 64}
    families = build("semantic", given, embed=see)(document, "id")
    assert len(families) > 2 and all(family.parent.tokens >= 24 for family in families[:-1])


def test_semantic_sees_each_sentence_among_its_neighbours() -> None:
    """A sentence alone is too little to tell a subject by: `It does.` belongs to what stands around it."""
    seen: list[str] = []

    def see(texts: Sequence[str]) -> list[list[float]]:
        seen.extend(texts)
        return [[1.0] for _ in texts]

    document = assemble("t", [Part("paragraph", "One is. Two are. Three are. Four are.")])
    build("semantic", {"window": 1}, embed=see)(document, "id")
    assert seen == ["One is. Two are.", "One is. Two are. Three are.", *seen[2:]] and len(seen) == 4
    assert seen[2:] == ["Two are. Three are. Four are.", "Three are. Four are."]


def test_an_embedder_that_loses_texts_is_an_error() -> None:
    """Sentences would get each other's vectors."""
    document = assemble("t", [Part("paragraph", "One. Two. Three.")])
    with pytest.raises(InvalidInput, match="1 vectors for 3 texts"):
        build("semantic", embed=lambda texts: [[1.0]])(document, "id")
    with pytest.raises(InvalidInput, match="sparse vector for one text and a dense one"):
        distance([1.0], {0: 1.0})


def test_distance_and_percentile() -> None:
    """Cosine, with empty vectors apart from all; percentiles between two values by proportion."""
    assert distance([1.0, 0.0], [2.0, 0.0]) == 0 and distance({1: 1.0}, {2: 1.0}) == 1
    assert distance({}, {1: 1.0}) == 1
    assert percentile([3.0, 1.0, 2.0], 75) == 2.5 and percentile([], 90) == 0


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_large_document_takes_few_counts(name: str) -> None:
    """Counting is what costs: a rule is not asked for the same text over and over."""
    asked = 0

    def rule(text: str) -> int:
        nonlocal asked
        asked += len(text)
        return count(text)

    parts = [Part("heading" if i % 9 == 0 else "paragraph", "It is a sentence. " * 8, 2) for i in range(200)]
    document = assemble("t", parts)
    build(name, rule=rule, embed=embed)(document, "id")
    assert Ruler(document).tokens(0, len(document.text)) > 5_000
    assert asked < 9 * len(document.text)
