"""Parent–child chunks, by properties and by the cases that matter."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.chunk import Chunk, Family, chunk
from ingestion.document import Document, Part, assemble
from ingestion.table import header_of, render
from ingestion.tokens import count

SENTENCES = st.sampled_from(
    [
        "The price is 69 dollars per seat. ",
        "价格是每席位六十九美元。",
        "Why now? ",
        "x" * 90 + " ",
        "\u0301é\n",
        "😀 ",
    ]
)
PROSE = st.one_of(st.lists(SENTENCES, max_size=40).map("".join), st.text(max_size=200))
CELLS = st.text(alphabet="ab |价格\n", max_size=12)
TABLES = st.integers(1, 5).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=30).map(render)
)
PARTS = st.one_of(
    st.builds(
        Part, st.just("heading"), st.text(max_size=30), st.integers(1, 6), st.sampled_from([None, 1, 2])
    ),
    st.builds(Part, st.sampled_from(["paragraph", "list", "figure"]), PROSE),
    st.builds(Part, st.just("table"), TABLES),
)
DOCUMENTS = st.lists(PARTS, max_size=12).map(lambda parts: assemble("d", parts))
LIMITS = st.integers(16, 64).flatmap(lambda child: st.tuples(st.just(child), st.integers(child, 256)))


def families_of(document: Document, child: int = 32, parent: int = 128) -> list[Family]:
    """Chunks with small limits, so that small documents are cut."""
    return chunk(document, "id", child_tokens=child, parent_tokens=parent)


def letters(text: str) -> str:
    """`text` without white space."""
    return "".join(text.split())


@settings(max_examples=80, deadline=None)
@given(DOCUMENTS, LIMITS)
def test_parents_hold_the_document_and_children_their_parents(
    document: Document, limits: tuple[int, int]
) -> None:
    """No word may be lost or doubled between document, parents and children; offsets must hold."""
    families = families_of(document, *limits)
    parents = [family.parent for family in families]
    assert all(document.text[c.start : c.end] == c.text for f in families for c in (f.parent, *f.children))
    assert all(a.end <= b.start for a, b in pairwise(parents))
    assert letters("".join(p.text for p in parents)) == letters(document.text)
    for parent, children in families:
        assert letters("".join(c.text for c in children)) == letters(parent.text)
        assert all(
            c.parent_id == parent.id and parent.start <= c.start < c.end <= parent.end for c in children
        )


@settings(max_examples=80, deadline=None)
@given(DOCUMENTS, LIMITS)
def test_token_limits(document: Document, limits: tuple[int, int]) -> None:
    """Parents fit the limit with their repeated header; children too, but for a single row."""
    child_limit, parent_limit = limits
    for parent, children in families_of(document, *limits):
        assert parent.tokens == count(parent.full_text) <= parent_limit
        for child in children:
            assert child.tokens == count(child.full_text)
            assert child.tokens <= child_limit or is_one_row(child, child_limit)


def is_one_row(child: Chunk, limit: int) -> bool:
    """Whether only the header keeps the child from fitting, or a row that must stay whole."""
    header = child.prefix or header_of(child.text) or header_of(child.text[child.text.find("|") :])
    rows = [line for line in child.text.splitlines() if line.strip() and line not in header.splitlines()]
    return child.kind == "table" and (len(rows) <= 1 or count(header) > limit // 2)


@settings(max_examples=50, deadline=None)
@given(DOCUMENTS)
def test_ids_are_stable_and_differ(document: Document) -> None:
    """The same content gives the same ids, each only once; another document gives others."""
    ids = [c.id for f in families_of(document) for c in (f.parent, *f.children)]
    assert ids == [c.id for f in families_of(document) for c in (f.parent, *f.children)]
    assert len(ids) == len(set(ids))
    other = chunk(document, "other", child_tokens=32, parent_tokens=128)
    assert not set(ids) & {c.id for f in other for c in (f.parent, *f.children)}


def test_a_cut_table_repeats_its_header_and_keeps_its_rows() -> None:
    """A row without its header is a row of numbers nobody can read."""
    rows = [["Plan", "Seats", "Price"], *([f"Plan {i}", str(i), f"{i} USD"] for i in range(60))]
    document = assemble("t", [Part("table", render(rows))])
    families = families_of(document)
    children = [child for family in families for child in family.children]
    assert len(families) > 2 and len(children) > len(families)
    lines = document.text.splitlines()
    for piece in [*children, *(family.parent for family in families)]:
        assert piece.full_text.startswith("| Plan | Seats | Price |\n| --- | --- | --- |\n| Plan ")
        assert set(piece.text.splitlines()) <= set(lines)


def test_a_row_larger_than_a_parent_is_cut() -> None:
    """A page laid out as one table cell must still fit the model's window."""
    document = assemble("t", [Part("table", render([["Key", "Text"], ["a", "word " * 500]]))])
    assert all(family.parent.tokens <= 128 for family in families_of(document))


def test_parents_open_at_headings() -> None:
    """A parent holds one section, its heading first, unless sections are short."""
    long = "This sentence has some words. " * 10
    document = assemble("t", [p for t in "ABC" for p in (Part("heading", t, 2), Part("paragraph", long))])
    assert [f.parent.text[0] for f in families_of(document)] == ["A", "B", "C"]
    assert [f.parent.section for f in families_of(document)] == ["A", "B", "C"]
    short = [p for t in "ABC" for p in (Part("heading", t, 2), Part("paragraph", "Short."))]
    assert len(families_of(assemble("t", short))) == 1


def test_a_heading_never_ends_a_parent() -> None:
    """A heading belongs to what follows it."""
    parts = [Part("paragraph", "Word " * 27), Part("heading", "Next", 2), Part("paragraph", "Text " * 110)]
    families = families_of(assemble("t", parts))
    assert families[1].parent.text.startswith("Next")


def test_a_child_keeps_to_its_page_and_section() -> None:
    """A quote is cited by one page and one section."""
    parts = [
        Part("paragraph", "One.", page=1),
        Part("paragraph", "Two.", page=2),
        Part("heading", "H", 2, page=2),
    ]
    parts.append(Part("paragraph", "Three.", page=2))
    [family] = families_of(assemble("t", parts))
    assert [(c.text, c.page, c.section) for c in family.children] == [
        ("One.", 1, ""),
        ("Two.", 2, ""),
        ("H\n\nThree.", 2, "H"),
    ]
