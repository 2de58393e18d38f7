"""The parsed document: offsets, heading paths and cleaning."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingestion.document import Part, assemble, clean


def test_blocks_are_slices_of_the_text() -> None:
    """Citations rest on offsets: every block must be what the text holds at its place."""
    document = assemble(
        "a.md", [Part("heading", "One", 1), Part("paragraph", " "), Part("paragraph", "Two.")]
    )
    assert [document.text[b.start : b.end] for b in document.blocks] == ["One", "Two."]
    assert document.text == "One\n\nTwo."


@given(st.lists(st.text(alphabet=st.characters(codec=None))))
def test_any_text_keeps_its_offsets(texts: list[str]) -> None:
    """Lone surrogates, control characters and combining marks must not shift an offset."""
    document = assemble("a", [Part("paragraph", text) for text in texts])
    assert all(document.text[b.start : b.end] == b.text for b in document.blocks)
    document.text.encode("utf-8")


def test_sections_follow_the_headings() -> None:
    """A heading closes the deeper ones before it and those of its own level."""
    parts = [Part("heading", t, n) for t, n in [("A", 1), ("B", 2), ("C", 3), ("D", 2), ("E", 1)]]
    assert [b.section for b in assemble("a", parts).blocks] == ["A", "A > B", "A > B > C", "A > D", "E"]


def test_a_given_section_wins() -> None:
    """A sheet's cell range must not be replaced by the heading path."""
    parts = [Part("heading", "Plans", 1), Part("table", "| a |", section="Plans!A1:B2")]
    assert assemble("a", parts).blocks[1].section == "Plans!A1:B2"


def test_clean_normalises() -> None:
    """Marks that only hide text from a search are taken out, letters are composed."""
    assert clean("\ufeffso\u00adft\x00 cafe\u0301\r\nnext\ud800") == "soft café\nnext"
