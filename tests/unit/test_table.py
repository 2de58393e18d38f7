"""Tables as Markdown rows."""

from __future__ import annotations

from ingestion.table import header_of, render


def test_render_keeps_rows_on_one_line() -> None:
    """A line break or a pipe in a cell must not make a new row or a new cell."""
    text = render([["Plan", "Price"], ["Team\nEU", "39 | 47"], [None, ""]])
    assert text == "| Plan | Price |\n| --- | --- |\n| Team EU | 39 \\| 47 |"


def test_render_drops_empty_columns() -> None:
    """Spacer columns of a spreadsheet are noise."""
    assert render([["a", "", "b"], ["1", None, "2"]]).splitlines()[2] == "| 1 | 2 |"
    assert render([["", None]]) == ""


def test_header_of() -> None:
    """Only a table with a rule under its first row has a header to repeat."""
    assert header_of("| a | b |\n| --- | :-: |\n| 1 | 2 |") == "| a | b |\n| --- | :-: |"
    assert header_of("| a | b |\n| 1 | 2 |\n| 3 | 4 |") == ""
    assert header_of("| a | b |") == ""
