"""Chunks and their ids; packing pieces."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from ingestion.chunk import Chunk, digest, families, flat, pack
from ingestion.document import Document, Part, assemble
from ingestion.ruler import Piece, Ruler
from ingestion.strategy import build
from tests.documents import DOCUMENTS, octets

LONG = "This sentence has some words. " * 10


def chunks_of(document: Document, document_id: str = "id", name: str = "parent_child") -> list[Chunk]:
    """Parents and children."""
    made = build(name, {"child_tokens": 32, "parent_tokens": 128})(document, document_id)
    return [chunk for family in made for chunk in (family.parent, *family.children)]


@settings(max_examples=50, deadline=None)
@given(DOCUMENTS)
def test_ids_are_stable_and_differ(document: Document) -> None:
    """The same content gives the same ids, each only once; another document gives others."""
    ids = [chunk.id for chunk in chunks_of(document)]
    assert ids == [chunk.id for chunk in chunks_of(document)]
    assert len(ids) == len(set(ids))
    assert not set(ids) & {chunk.id for chunk in chunks_of(document, "other")}


def test_an_edit_at_the_beginning_keeps_later_ids() -> None:
    """A document of a thousand chunks is not written anew because of one typing mistake."""
    sections = [
        p for i in range(20) for p in (Part("heading", f"H{i}", 1), Part("paragraph", f"{i}. {LONG}"))
    ]
    before = assemble("d", [Part("paragraph", "Intro."), *sections])
    after = assemble("d", [Part("paragraph", f"Introduction, longer. {LONG}"), *sections])
    kept = {chunk.id for chunk in chunks_of(before)} & {chunk.id for chunk in chunks_of(after)}
    assert len(kept) == len(chunks_of(before)) - 2


def test_the_same_text_twice_has_two_ids() -> None:
    """A disclaimer on every page is a chunk on every page."""
    parts = [Part("paragraph", "All prices exclude tax.", page=page) for page in (1, 2, 3)]
    children = [c for c in chunks_of(assemble("d", parts)) if c.parent_id != c.id]
    assert len(children) == len({child.id for child in children}) == 3
    assert [child.page for child in children] == [1, 2, 3]


def test_a_chunk_says_where_it_stands() -> None:
    """A citation needs the pages, the heading path, and of a sheet the range."""
    parts = [
        Part("heading", "Plans", 1, page=3),
        Part("paragraph", "Three of them.", page=3),
        Part("paragraph", "And more.", page=4),
    ]
    document = assemble("d", parts)
    [family] = families(Ruler(document), "id", flat([Ruler(document).piece(0, len(document.text))]))
    [child] = family.children
    assert (child.page, child.page_end, child.section, child.sheet_range) == (3, 4, "Plans", "")
    assert child.kind == "paragraph", "a chunk is what stands under its heading"
    assert child.parent_id == family.parent.id == family.parent.parent_id != child.id
    sheet = assemble("d", [Part("table", "| a |\n| --- |\n| 1 |", section="My plans!A2:F9")])
    assert chunks_of(sheet)[0].sheet_range == "My plans!A2:F9"


def test_a_part_of_a_block_has_a_language_of_its_own() -> None:
    """A page in two languages is found by either."""
    chinese = "客户说价格太高的时候，先问清楚他拿什么来比较，再说明每年能够节省多少费用。"
    document = assemble("d", [Part("paragraph", f"{chinese * 3}{LONG * 4}")])
    assert {chunk.language for chunk in chunks_of(document)} >= {"zh", "en"}


def test_a_digest_tells_where_one_string_ends() -> None:
    """Or a document's name could be chosen so that it is taken for another's."""
    assert digest("a\0b", "c") != digest("a", "b\0c")
    assert digest("ab", "c") != digest("a", "bc")


def pieces_of(document: Document, rule: str = "rule") -> tuple[Ruler, list[Piece]]:
    """One piece for each block."""
    ruler = Ruler(document, octets) if rule == "octets" else Ruler(document)
    return ruler, [ruler.piece(block.start, block.end) for block in document.blocks]


def test_a_heading_does_not_end_a_run() -> None:
    """It belongs to what follows it, unless both together are too large."""
    parts = [Part("paragraph", "one two three"), Part("heading", "H", 1), Part("paragraph", "four five")]
    ruler, pieces = pieces_of(assemble("d", parts))
    texts = [ruler.text[run.whole.start : run.whole.end] for run in pack(ruler, pieces, 5, lambda *_: True)]
    assert texts == ["one two three", "H\n\nfour five"]
    parts[2] = Part("paragraph", "four five six seven")
    ruler, pieces = pieces_of(assemble("d", parts))
    assert [len(run.pieces) for run in pack(ruler, pieces, 4, lambda *_: True)] == [2, 1]


def test_what_continues_a_table_opens_a_run() -> None:
    """Its prefix is the table's header: what stood before it would be read as its rows."""
    parts = [
        Part("paragraph", "one"),
        Part("heading", "H", 1),
        Part("table", "| 1 |"),
        Part("table", "| 2 |"),
    ]
    ruler, pieces = pieces_of(assemble("d", parts))
    continued = [piece._replace(prefix="| a |") if i > 1 else piece for i, piece in enumerate(pieces)]
    runs = [len(run.pieces) for run in pack(ruler, continued, 100, lambda *_: True)]
    assert runs == [2, 1, 1]


@pytest.mark.parametrize("limit", [16, 17, 40])
def test_runs_fit_although_tokens_do_not_add_up(limit: int) -> None:
    """White space between two pieces may be tokens too."""
    ruler, pieces = pieces_of(assemble("d", [Part("paragraph", "a")] * 60), "octets")
    runs = [run.whole for run in pack(ruler, pieces, limit, lambda *_: True)]
    assert all(run.tokens == octets(ruler.text[run.start : run.end]) <= limit for run in runs)
    assert len(runs) < 20
