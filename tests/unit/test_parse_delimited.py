"""CSV and its kin."""

from __future__ import annotations

import pytest

from ingestion.parse import delimited, grid
from ingestion.table import Cell
from runtime.errors import DocumentCorrupt
from tests.unit.seen import OPTIONS, seen


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_delimiter(delimiter: str) -> None:
    """A German Excel writes semicolons, since its decimal sign is the comma."""
    rows = (("Plan", "Price", "Note"), ("Team", "39.5", "a b"), ("Business", "69.5", ""))
    data = "\r\n".join(delimiter.join(row) for row in rows).encode()
    block = seen(delimited.parse(data, "p.csv", OPTIONS)).blocks[0]
    assert (block.kind, block.section) == ("table", "A1:C3")
    assert block.text.splitlines()[2] == "| Team | 39.5 | a b |"
    assert block.cells[0] == Cell(0, 0, "Plan", header=True)


def test_decimal_commas_divide_nothing() -> None:
    """Commas divide these rows as evenly as semicolons do."""
    block = seen(delimited.parse(b"1,5;2,5\n3,5;4,5\n5,5;6,5\n", "n.csv", OPTIONS)).blocks[0]
    assert block.text.splitlines()[0] == "| 1,5 | 2,5 |"
    assert not block.cells[0].header


def test_quotes_hold_delimiters_and_line_breaks() -> None:
    """A note of two lines is one cell, and starts no row."""
    data = b'Plan,Note\nTeam,"one, two\nthree"\nBusiness,"say ""hi"""\n'
    block = seen(delimited.parse(data, "q.csv", OPTIONS)).blocks[0]
    assert block.section == "A1:B3"
    assert [cell.text for cell in block.cells[2:]] == ["Team", "one, two\nthree", "Business", 'say "hi"']


def test_an_unbalanced_quote_swallows_nothing() -> None:
    """A stray sign of inches must not make one cell of the whole file."""
    data = b'Item;Size\nScreen;"24\n' + b"Cable;2 m\n" * 20
    document = seen(delimited.parse(data, "s.csv", OPTIONS))
    assert "| Screen | 24 |" in document.text and document.text.count("| Cable | 2 m |") == 20


def test_stated_separator_and_encoding() -> None:
    """Excel states the separator in the first line, and writes GBK in China."""
    data = "sep=;\n方案;价格\n团队;三十九美元\n企业;六十九美元\n".encode("gb18030")
    block = seen(delimited.parse(data, "z.csv", OPTIONS)).blocks[0]
    assert block.section == "A1:B3" and "| 团队 | 三十九美元 |" in block.text


def test_rows_of_different_length() -> None:
    """A title above the table must not cost the table its columns."""
    block = seen(delimited.parse(b"Prices\n\nPlan,USD\nTeam,39\nBusiness,69,,\n", "r.csv", OPTIONS)).blocks[0]
    assert block.section == "A1:B5" and "| Team | 39 |" in block.text


def test_a_long_file_has_text_without_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """A million cell objects would fill the parser's memory."""
    monkeypatch.setattr(grid, "MAX_CELLS", 50)
    block = seen(delimited.parse(b"a,b,c\n" * 100, "l.csv", OPTIONS)).blocks[0]
    assert block.cells == () and block.text.count("| a | b | c |") == 100


def test_binary_is_refused() -> None:
    """Called by itself, the parser must not make cells of an image."""
    with pytest.raises(DocumentCorrupt, match=r"'x\.csv'"):
        delimited.parse(b"\x89PNG\r\n\x1a\n" + bytes(64), "x.csv", OPTIONS)
