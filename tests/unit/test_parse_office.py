"""DOCX, XLSX and HTML through docling-slim."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import docx
import pytest
from openpyxl import Workbook  # type: ignore[import-untyped]  # ships no types

from ingestion.parse import office
from ingestion.parse.office import parse_docx, parse_html, parse_xlsx
from ingestion.route import parse
from runtime.errors import DocumentCorrupt, DocumentTooLarge


def saved(save: Callable[[BytesIO], None]) -> bytes:
    """What `save` writes."""
    buffer = BytesIO()
    save(buffer)
    return buffer.getvalue()


def sample_docx() -> bytes:
    """Title, headings, runs, lists, and a table with a spanning cell."""
    document = docx.Document()
    document.sections[0].header.paragraphs[0].text = "Running head"
    document.add_heading("Playbook", 0)
    document.add_heading("Objections", 1)
    paragraph = document.add_paragraph("Never promise ")
    paragraph.add_run("a date").bold = True
    paragraph.add_run(", or a discount.")
    for item in ("Acknowledge", "Clarify"):
        document.add_paragraph(item, style="List Bullet")
    table = document.add_table(3, 2)
    for cell, text in zip(
        [c for row in table.rows for c in row.cells], ["Limit", "Who", "5 %", "rep", "", ""], strict=True
    ):
        cell.text = text
    table.cell(2, 0).merge(table.cell(2, 1)).text = "more: the deal desk"
    return saved(document.save)


def test_docx_blocks() -> None:
    """Headings nest below the title, runs make one sentence, lists and tables keep their form."""
    document = parse_docx(sample_docx(), "p.docx")
    assert [(b.kind, b.level, b.text) for b in document.blocks] == [
        ("heading", 1, "Playbook"),
        ("heading", 2, "Objections"),
        ("paragraph", 0, "Never promise a date, or a discount."),
        ("list", 0, "- Acknowledge\n- Clarify"),
        ("table", 0, "| Limit | Who |\n| --- | --- |\n| 5 % | rep |\n| more: the deal desk |  |"),
    ]
    assert document.blocks[3].section == "Playbook > Objections"
    assert document.pages is None


def sample_xlsx() -> bytes:
    """A note and two tables on one sheet, and a hidden sheet."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Plans"
    sheet["A1"] = "Prices in USD"
    for row in (["Plan", "Price"], ["Team", 39], ["Business", 69.5]):
        sheet.append([None, *row])
    sheet["AA20"], sheet["AB20"], sheet["AA21"], sheet["AB21"] = "Seats", "Discount", 25, "5 %"
    hidden = book.create_sheet("Margins")
    hidden["A1"], hidden["A2"], hidden.sheet_state = "Margin", "71 %", "hidden"
    return saved(book.save)


def test_xlsx_sheets_and_ranges() -> None:
    """A citation names sheet and cells; a hidden sheet was hidden for a reason."""
    document = parse_xlsx(sample_xlsx(), "p.xlsx")
    assert [(b.kind, b.section) for b in document.blocks if b.kind != "paragraph"] == [
        ("heading", "Plans"),
        ("table", "Plans!B2:C4"),
        ("table", "Plans!AA20:AB21"),
    ]
    assert "| Business | 69.5 |" in document.text
    assert "Margin" not in document.text


def test_html_blocks() -> None:
    """Scripts and styles are no text; nested lists and tables are."""
    page = """<html><head><title>T</title><style>p{}</style></head><body><script>evil()</script>
    <h1>Guide</h1><h2>Price</h2><p>Say <b>why</b>, then wait.</p><ul><li>One<ul><li>Deep</li></ul></li></ul>
    <table><tr><th>Plan</th><th>USD</th></tr><tr><td>Team</td><td>39</td></tr></table></body></html>"""
    document = parse_html(page.encode(), "g.html")
    assert [(b.kind, b.section) for b in document.blocks] == [
        ("heading", "Guide"),
        ("heading", "Guide > Price"),
        ("paragraph", "Guide > Price"),
        ("list", "Guide > Price"),
        ("table", "Guide > Price"),
    ]
    assert "Say why, then wait." in document.text and "- One\n  - Deep" in document.text
    assert "evil" not in document.text and "p{}" not in document.text


def test_deep_nesting_is_refused_at_once() -> None:
    """Twenty kilobytes of open tags would keep the backend busy for half a minute."""
    with pytest.raises(DocumentTooLarge, match="more than 300 deep"):
        parse_html(b"<html><body>" + b"<div>" * 5_000, "deep.html")
    closed = b"<html><body>" + b"<div><br><script>if (a<b) {</script><p>One.</div>" * 500
    assert parse_html(closed, "wide.html").text.count("One.") == 500


def test_html_in_gb18030() -> None:
    """The page's bytes are decoded here, so its own charset must not be applied a second time."""
    page = (
        '<html><head><meta charset="gb2312"></head><body><h1>价格</h1><p>团队版三十九美元</p></body></html>'
    )
    assert "团队版三十九美元" in parse_html(page.encode("gb18030"), "g.html").text


def with_entity(data: bytes, secret: Path) -> bytes:
    """The DOCX with an external entity in its text."""
    source = zipfile.ZipFile(BytesIO(data))
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "word/document.xml":
                head, body = content.split(b"?>", 1)
                doctype = f'?><!DOCTYPE d [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'.encode()
                content = head + doctype + body.replace(b"Acknowledge", b"&x;")
            target.writestr(name, content)
    return buffer.getvalue()


def test_external_entities_are_not_read(tmp_path: Path) -> None:
    """A document must not be able to carry a file of this machine into the index."""
    (tmp_path / "secret").write_text("TOPSECRET")
    with pytest.raises(DocumentCorrupt) as raised:
        parse(with_entity(sample_docx(), tmp_path / "secret"), "x.docx")
    assert "TOPSECRET" not in str(raised.value)


def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small archive that unpacks to gigabytes must not be unpacked."""
    monkeypatch.setattr(office, "_MAX_UNPACKED_BYTES", 10_000)
    with pytest.raises(DocumentTooLarge, match="10000 bytes"):
        parse_docx(sample_docx(), "bomb.docx")
