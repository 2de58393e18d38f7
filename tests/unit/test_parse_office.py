"""DOCX and PPTX through docling-slim."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from docx.shared import Pt, RGBColor
from PIL import Image
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor as SlideColor
from pptx.enum.chart import XL_CHART_TYPE
from pptx.opc.package import Part
from pptx.opc.packuri import PackURI
from pptx.util import Inches
from pptx.util import Pt as SlidePt

from ingestion.limits import Limits
from ingestion.options import ReadOptions
from ingestion.parse.office import parse_docx, parse_pptx
from ingestion.table import Cell
from runtime.errors import DocumentCorrupt, DocumentEncrypted, DocumentTooLarge
from tests.unit.seen import OPTIONS, seen


def saved(save: Callable[[BytesIO], None]) -> bytes:
    """What `save` writes."""
    buffer = BytesIO()
    save(buffer)
    return buffer.getvalue()


def slide_colour(code: str) -> Any:
    """As python-pptx wants it."""
    return SlideColor.from_string(code)  # type: ignore[no-untyped-call]  # half typed


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


def changed(data: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """The package with one part changed."""
    source = zipfile.ZipFile(BytesIO(data))
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, change(content) if name == part else content)
    return buffer.getvalue()


def test_docx_blocks() -> None:
    """Headings nest below the title, runs make one sentence, lists and tables keep their form."""
    parsed = parse_docx(sample_docx(), "p.docx", OPTIONS)
    document = seen(parsed)
    assert [(b.kind, b.level, b.text) for b in document.blocks] == [
        ("heading", 1, "Playbook"),
        ("heading", 2, "Objections"),
        ("paragraph", 0, "Never promise a date, or a discount."),
        ("list", 0, "- Acknowledge\n- Clarify"),
        ("table", 0, "| Limit | Who |\n| --- | --- |\n| 5 % | rep |\n| more: the deal desk |  |"),
    ]
    assert document.blocks[3].section == "Playbook > Objections"
    assert document.blocks[4].cells[-1] == Cell(2, 0, "more: the deal desk", 1, 2)
    assert document.blocks[4].cells[0].header
    assert document.pages is None and parsed.route.parser == "docling-slim"
    assert parsed.notes == ("left out: 1 lines in headers and footers",)


def test_level_of_a_docx() -> None:
    """A document of tables is hard, one of running text with a small table is not."""
    assert parse_docx(sample_docx(), "p.docx", OPTIONS).route.level == "HIGH"
    document = docx.Document()
    document.add_paragraph("Running text that goes on for a while. " * 20)
    document.add_table(1, 2).cell(0, 0).text = "Small"
    assert parse_docx(saved(document.save), "p.docx", OPTIONS).route.level == "LOW"


def test_changes_count_as_accepted() -> None:
    """A deleted price must not be quoted, an inserted one must, also within a table and where moved to."""
    document = docx.Document()
    table = document.add_table(1, 2)
    ins = f'<w:ins {nsdecls("w")} w:id="1" w:author="a"><w:r><w:t>69 new</w:t></w:r></w:ins>'
    gone = f'<w:del {nsdecls("w")} w:id="2" w:author="a"><w:r><w:delText>79 old</w:delText></w:r></w:del>'
    for holder in (document.add_paragraph("Price "), table.cell(0, 0).paragraphs[0]):
        holder._p.append(parse_xml(ins))
        holder._p.append(parse_xml(gone))
    moved = "moveTo", "moveFrom"
    for tag in moved:
        xml = f'<w:{tag} {nsdecls("w")} w:id="3" w:author="a"><w:r><w:t>{tag} text</w:t></w:r></w:{tag}>'
        document.add_paragraph("")._p.append(parse_xml(xml))
    text = seen(parse_docx(saved(document.save), "c.docx", OPTIONS)).text
    assert text.count("69 new") == 2 and "79 old" not in text
    assert "moveTo text" in text and "moveFrom text" not in text


def test_text_that_no_reader_sees_is_kept_apart() -> None:
    """Hidden, white and zero-size runs carry instructions to the model; a white header on blue does not."""
    document = docx.Document()
    paragraph = document.add_paragraph("Seen. ")
    paragraph.add_run("vanished ").font.hidden = True
    paragraph.add_run("tiny ").font.size = Pt(1)
    paragraph.add_run("white ").font.color.rgb = RGBColor(255, 255, 255)
    cell = document.add_table(1, 2).cell(0, 0)
    cell._tc.get_or_add_tcPr().append(parse_xml(f'<w:shd {nsdecls("w")} w:val="clear" w:fill="1F4E79"/>'))
    cell.paragraphs[0].add_run("White on blue").font.color.rgb = RGBColor(255, 255, 255)
    styled = document.styles.add_style("Ghost", 1)
    styled.font.hidden = True
    document.add_paragraph("by style", style="Ghost")
    parsed = seen(parse_docx(saved(document.save), "h.docx", OPTIONS))
    assert {(h.text, h.why) for h in parsed.hidden} == {
        ("vanished", "vanish"),
        ("tiny", "zero size"),
        ("white", "white on white"),
        ("by style", "vanish"),
    }
    assert parsed.text == "Seen.\n\n| White on blue |\n| --- |"


def footnote_docx() -> bytes:
    """A paragraph with a footnote, a text box, and a table in a table."""
    document = docx.Document()
    document.add_paragraph("Body")
    box = (
        f"<w:r {nsdecls('w')} xmlns:v='urn:schemas-microsoft-com:vml'><w:pict><v:shape><v:textbox>"
        "<w:txbxContent><w:p><w:r><w:t>In a box</w:t></w:r></w:p></w:txbxContent>"
        "</v:textbox></v:shape></w:pict></w:r>"
    )
    document.add_paragraph("")._p.append(parse_xml(box))
    outer = document.add_table(1, 2)
    outer.cell(0, 0).text = "Outer"
    inner = outer.cell(0, 1).add_table(1, 2)
    inner.cell(0, 0).text, inner.cell(0, 1).text = "Inner one", "Inner two"
    data = saved(document.save)
    notes = (
        f'<w:footnotes {nsdecls("w")}><w:footnote w:type="separator" w:id="0"><w:p/></w:footnote>'
        '<w:footnote w:id="1"><w:p><w:r><w:t>Prices without tax.</w:t></w:r></w:p></w:footnote></w:footnotes>'
    )
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"
    relation = f'<Relationship Id="rId99" Type="{kind}" Target="footnotes.xml"/></Relationships>'.encode()
    content = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
    override = f'<Override PartName="/word/footnotes.xml" ContentType="{content}"/></Types>'.encode()
    data = changed(data, "word/_rels/document.xml.rels", lambda x: x.replace(b"</Relationships>", relation))
    data = changed(data, "[Content_Types].xml", lambda x: x.replace(b"</Types>", override))
    buffer = BytesIO(data)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("word/footnotes.xml", notes)
    return buffer.getvalue()


def test_footnotes_boxes_and_tables_within_tables() -> None:
    """Conditions of a contract stand in such places."""
    document = seen(parse_docx(footnote_docx(), "f.docx", OPTIONS))
    assert "In a box" in document.text and document.text.count("Inner one") == 1
    assert (document.blocks[-1].text, document.blocks[-1].section) == ("Prices without tax.", "Footnotes")


def sample_pptx() -> Any:
    """A slide with bullets, table, chart and notes; a slide without a title; a hidden one."""
    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = "Plans"
    slide.placeholders[1].text = "One\nTwo"
    table = slide.shapes.add_table(2, 2, Inches(1), Inches(4), Inches(4), Inches(1)).table
    for row, texts in enumerate((("Plan", "USD"), ("Team", "39"))):
        for column, text in enumerate(texts):
            table.cell(row, column).text = text
    data: Any = CategoryChartData()  # type: ignore[no-untyped-call]  # half typed
    data.categories = ["2024", "2025"]
    data.add_series("Seats", (10, 25))
    chart = slide.shapes.add_chart(
        XL_CHART_TYPE.COLUMN_CLUSTERED, Inches(5), Inches(5), Inches(3), Inches(2), data
    )
    chart.chart.has_title = True
    chart.chart.chart_title.text_frame.text = "Growth"
    slide.notes_slide.notes_text_frame.text = "Pause here."
    plain = deck.slides.add_slide(deck.slide_layouts[6])
    plain.shapes.add_textbox(Inches(1), Inches(1), Inches(3), Inches(1)).text_frame.text = "Untitled"
    hidden = deck.slides.add_slide(deck.slide_layouts[5])
    hidden.shapes.title.text = "Margins"
    hidden._element.set("show", "0")
    return deck


def test_pptx_slides() -> None:
    """Slides are pages; notes are told apart; nothing lands under the title of another slide."""
    parsed = parse_pptx(saved(sample_pptx().save), "d.pptx", OPTIONS)
    document = seen(parsed)
    found = [(b.kind, b.text, b.page, b.section) for b in document.blocks]
    assert found[0] == ("heading", "Plans", 1, "Plans")
    assert ("list", "- One\n- Two", 1, "Plans") in found
    assert ("table", "| Plan | USD |\n| --- | --- |\n| Team | 39 |", 1, "Plans") in found
    assert ("figure", "Growth", 1, "Plans") in found
    assert any(kind == "table" and "| 2025 | 25" in text for kind, text, *_ in found)
    assert ("paragraph", "Pause here.", 1, "Plans > Speaker notes") in found
    assert ("paragraph", "Untitled", 2, "") in found
    assert [(h.text, h.page, h.why) for h in document.hidden] == [("Margins", 3, "hidden slide or shape")]
    assert document.pages == 3 and parsed.route.level == "HIGH"


def test_pptx_boxes_are_in_points() -> None:
    """A viewer draws them over the slide."""
    document = seen(parse_pptx(saved(sample_pptx().save), "d.pptx", OPTIONS))
    box = next(b.box for b in document.blocks if b.text == "Untitled")
    assert box is not None and tuple(box) == (72, 72, 288, 144)


def test_pptx_text_that_nobody_sees() -> None:
    """White text on a bare slide is hidden; on a filled shape it is the design."""
    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    box = slide.shapes.add_textbox(Inches(1), Inches(1), Inches(3), Inches(1)).text_frame.paragraphs[0]
    for text, size, colour in (("Seen", 18, "000000"), ("white", 18, "FFFFFF"), ("tiny", 1, "000000")):
        run = box.add_run()
        run.text, run.font.size, run.font.color.rgb = text, SlidePt(size), slide_colour(colour)
    shape = slide.shapes.add_shape(1, Inches(1), Inches(3), Inches(3), Inches(1))
    shape.fill.solid()
    shape.fill.fore_color.rgb = slide_colour("000080")
    run = shape.text_frame.paragraphs[0].add_run()
    run.text, run.font.color.rgb = "On blue", slide_colour("FFFFFF")
    document = seen(parse_pptx(saved(deck.save), "h.pptx", OPTIONS))
    assert {(h.text, h.why) for h in document.hidden} == {("white", "white on white"), ("tiny", "zero size")}
    assert document.text == "Seen\n\nOn blue"


@pytest.mark.parametrize(
    "content",
    [
        "vnd.openxmlformats-officedocument.presentationml.slideshow.main+xml",
        "vnd.ms-powerpoint.presentation.macroEnabled.main+xml",
    ],
)
def test_shows_and_files_with_macros_read_as_decks(content: str) -> None:
    """What differs is a word in the package, which python-pptx refuses."""
    usual = b"vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"
    data = changed(
        saved(sample_pptx().save), "[Content_Types].xml", lambda x: x.replace(usual, content.encode())
    )
    assert "Plans" in seen(parse_pptx(data, "s.ppsx", OPTIONS)).text


def strict(content: bytes) -> bytes:
    """In the namespaces of ISO/IEC 29500-1."""
    return re.sub(
        rb"http://schemas\.openxmlformats\.org/((?:word|presentation|drawing)\w+|officeDocument)/2006",
        rb"http://purl.oclc.org/ooxml/\1",
        content,
    )


def test_the_strict_dialect() -> None:
    """Excel and Word write it on request; python-docx and python-pptx know nothing of it."""
    for data, parse in ((sample_docx(), parse_docx), (saved(sample_pptx().save), parse_pptx)):
        usual = seen(parse(data, "s", OPTIONS)).text
        for part in zipfile.ZipFile(BytesIO(data)).namelist():
            data = changed(data, part, strict) if part.endswith((".xml", ".rels")) else data
        assert seen(parse(data, "s", OPTIONS)).text == usual


def test_diagrams() -> None:
    """Half of what a deck says stands in SmartArt, in a part of its own."""
    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    slide.shapes.title.text = "Steps"
    main = "http://schemas.openxmlformats.org/drawingml/2006"
    points = "".join(f"<a:p><a:r><a:t>{text}</a:t></a:r></a:p>" for text in ("Discover", "Propose"))
    blob = f'<d:dataModel xmlns:d="{main}/diagram" xmlns:a="{main}/main">{points}</d:dataModel>'.encode()
    part = Part(PackURI("/ppt/diagrams/data1.xml"), "application/xml", deck.part.package, blob)
    number = slide.part.relate_to(part, f"{main}/relationships/diagramData")
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    frame = f'<d:relIds xmlns:d="{main}/diagram" xmlns:r="{relations}" r:dm="{number}"/>'
    slide.shapes.title._element.addnext(parse_xml(frame))
    last = seen(parse_pptx(saved(deck.save), "s.pptx", OPTIONS)).blocks[-1]
    assert (last.kind, last.text, last.page) == ("list", "- Discover\n- Propose", 1)


def test_external_entities_are_refused(tmp_path: Path) -> None:
    """A document must not be able to carry a file of this machine into the index."""
    (tmp_path / "secret").write_text("TOPSECRET")
    doctype = f'?><!DOCTYPE d [<!ENTITY x SYSTEM "{(tmp_path / "secret").as_uri()}">]>'.encode()

    def declare(content: bytes) -> bytes:
        return content.replace(b"?>", doctype, 1).replace(b"Acknowledge", b"&x;")

    with pytest.raises(DocumentCorrupt, match="document type") as raised:
        parse_docx(changed(sample_docx(), "word/document.xml", declare), "x.docx", OPTIONS)
    assert "TOPSECRET" not in str(raised.value)


@pytest.mark.parametrize("limits", [Limits(unpacked_bytes=10_000), Limits(ratio=20)])
def test_a_bomb_is_refused(limits: Limits) -> None:
    """A small archive that unpacks to gigabytes must not be unpacked."""
    data = changed(sample_docx(), "docProps/app.xml", lambda x: x + b" " * 2_000_000)
    with pytest.raises(DocumentTooLarge, match=r"limit is (10000|20)"):
        parse_docx(data, "bomb.docx", replace(OPTIONS, limits=limits))


def test_encrypted_members_are_named_so() -> None:
    """Some tools encrypt the ZIP instead of wrapping it."""
    data = bytearray(sample_docx())
    at = data.rindex(b"PK\x01\x02")
    data[at + 8] |= 1
    with pytest.raises(DocumentEncrypted):
        parse_docx(bytes(data), "e.docx", OPTIONS)


def test_too_many_slides() -> None:
    """The limit on pages holds for slides."""
    with pytest.raises(DocumentTooLarge, match="3 slides"):
        parse_pptx(saved(sample_pptx().save), "d.pptx", ReadOptions(limits=Limits(pages=2)))


def test_what_is_written_in_pictures_is_not_read_and_said_so() -> None:
    """A slide that is a screenshot must not pass for one that was read."""
    picture = BytesIO()
    Image.new("RGB", (40, 30), "white").save(picture, "PNG")
    document = docx.Document()
    document.add_paragraph("See the picture.")
    document.add_picture(picture)
    parsed = parse_docx(saved(document.save), "a.docx", OPTIONS)
    assert parsed.notes == ("left out: what is written in 1 pictures",)
