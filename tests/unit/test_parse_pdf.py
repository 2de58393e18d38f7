"""PDF: headings, pages, tables, running heads, and files that cannot be read."""

from __future__ import annotations

import pytest

from ingestion.parse import pdf
from ingestion.parse.pdf import parse
from runtime.errors import DocumentEncrypted, DocumentTooLarge
from tests.unit.tiny_pdf import Line, tiny_pdf

BODY = "A seat costs sixty-nine dollars a month in Business."


def grid(columns: list[int], rows: list[int]) -> list[str]:
    """Strokes of a ruled table."""
    down = [f"{x} {rows[-1]} m {x} {rows[0]} l S" for x in columns]
    across = [f"{columns[0]} {y} m {columns[-1]} {y} l S" for y in rows]
    return down + across


def test_headings_by_size_and_pages() -> None:
    """Sections and pages are what a citation shows."""
    first = [Line("Price list", 20, y=780), Line("Plans", 14, y=740), Line(BODY, y=700)]
    document = parse(tiny_pdf([first, [Line("Discounts", 14, y=740), Line(BODY, y=700)]]), "p.pdf")
    assert [(b.kind, b.level, b.page, b.section) for b in document.blocks] == [
        ("heading", 1, 1, "Price list"),
        ("heading", 2, 1, "Price list > Plans"),
        ("paragraph", 0, 1, "Price list > Plans"),
        ("heading", 2, 2, "Price list > Discounts"),
        ("paragraph", 0, 2, "Price list > Discounts"),
    ]
    assert document.pages == 2


def test_a_ruled_table_becomes_rows() -> None:
    """Cells stay in their row and column, and the text stands in the document once."""
    cells = [["Plan", "Price"], ["Team", "39"], ["Business", "69"]]
    filled = [
        Line(t, x=60 + 100 * c, y=686 - 20 * r) for r, row in enumerate(cells) for c, t in enumerate(row)
    ]
    lines = [Line(BODY, y=740), *filled, Line(BODY, y=500)]
    document = parse(tiny_pdf([lines], rules=grid([50, 150, 250], [700, 680, 660, 640])), "t.pdf")
    assert [b.kind for b in document.blocks] == ["paragraph", "table", "paragraph"]
    assert document.blocks[1].text == "| Plan | Price |\n| --- | --- |\n| Team | 39 |\n| Business | 69 |"
    assert document.text.count("Business |") == 1


def test_list_items_become_one_list() -> None:
    """A list that was cut into lines would lose its items to other chunks."""
    items = [Line(f"- Item {n}", y=700 - 12 * n) for n in range(3)]
    document = parse(tiny_pdf([[Line(BODY, y=740), *items]]), "l.pdf")
    assert document.blocks[1].kind == "list"
    assert document.blocks[1].text == "- Item 0\n- Item 1\n- Item 2"


def test_running_heads_are_left_out() -> None:
    """A footer on every page would be a hit for every query that names the document."""
    pages = [[Line(BODY, y=700), Line(f"Price list {n} / 3", 8, y=30)] for n in (1, 2, 3)]
    assert "Price list" not in parse(tiny_pdf(pages), "f.pdf").text
    assert "Price list" in parse(tiny_pdf(pages[:2]), "f.pdf").text


def test_a_word_cut_at_a_line_end_is_whole_again() -> None:
    """A search for `onboarding` must find `onboard-` and `ing`."""
    document = parse(
        tiny_pdf([[Line("The fee for onboard-", y=700), Line("ing is paid once.", y=689)]]), "h.pdf"
    )
    assert "onboarding is paid once" in document.text


def test_an_encrypted_file() -> None:
    """The user learns that a password is in the way, not that the file is empty."""
    with pytest.raises(DocumentEncrypted, match=r"'secret\.pdf'"):
        parse(tiny_pdf([[Line(BODY)]], encrypted=True), "secret.pdf")


def test_a_damaged_file_is_read_and_marked() -> None:
    """MuPDF repairs a cut-off file; what it could not save must not pass for all."""
    whole = tiny_pdf([[Line(BODY)]])
    document = parse(whole[: whole.index(b"xref")], "cut.pdf")
    assert BODY in document.text
    assert document.notes and "repaired" in document.notes[0]


def test_too_many_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is named, so that the user can split the file."""
    monkeypatch.setattr(pdf, "MAX_PAGES", 1)
    with pytest.raises(DocumentTooLarge, match="2 pages; at most 1") as raised:
        parse(tiny_pdf([[Line(BODY)], [Line(BODY)]]), "big.pdf")
    assert raised.value.details["limit"] == 1
