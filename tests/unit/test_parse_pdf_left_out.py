"""PDF: attached files and comments are noted."""

from __future__ import annotations

import pymupdf
import pytest

from ingestion.parse.pdf_left_out import beside, left_out
from tests.unit.tiny_pdf import Line, tiny_pdf

PLAIN = tiny_pdf([[Line("Business costs 69 dollars.")]])


def noted(data: bytes) -> tuple[str, ...]:
    """What is noted of that PDF."""
    with pymupdf.open(stream=data, filetype="pdf") as pdf:
        return left_out(pdf, map(beside, pdf))


def with_entries(catalog: bytes, page: bytes) -> bytes:
    """The plain PDF, with these entries in its catalogue and its page."""
    changed = PLAIN.replace(b"/Type /Catalog", catalog + b" /Type /Catalog")
    return changed.replace(b"/Type /Page /Parent", page + b" /Type /Page /Parent")


def test_attached_files_and_comments_are_counted() -> None:
    """An offer may lie in an attachment; what is written onto the page is read, and not left out."""
    with pymupdf.open(stream=PLAIN, filetype="pdf") as pdf:
        pdf.embfile_add("prices.csv", b"Business;69")
        page = pdf[0]
        page.add_file_annot((60, 400), b"Team;39", "team.csv")
        page.add_text_annot((60, 200), "From May on: 79 dollars.")
        page.add_highlight_annot(pymupdf.Rect(60, 100, 90, 112))
        page.add_freetext_annot(pymupdf.Rect(60, 300, 300, 340), "Read with the page")
        page.add_stamp_annot(pymupdf.Rect(60, 500, 200, 540))
        page.insert_link({"kind": pymupdf.LINK_URI, "uri": "https://a.com", "from": pymupdf.Rect(1, 1, 9, 9)})
        data = pdf.tobytes()
    assert noted(data) == ("left out: 2 attached files", "left out: 1 comments")
    assert noted(PLAIN) == ()


def test_names_in_branches_and_annotations_without_numbers() -> None:
    """Large files divide their names, and a writer may put an annotation into the page itself."""
    branch = b"<< /Limits [(a) (a)] /Names [(a) << /Type /Filespec /F (a) >>] >>"
    catalog = b"/Names << /EmbeddedFiles << /Kids [" + branch + b"] >> >>"
    page = b"/Annots [<< /Type /Annot /Subtype /Text /Rect [0 0 9 9] /Contents (79 dollars) >>]"
    assert noted(with_entries(catalog, page)) == ("left out: 1 attached files", "left out: 1 comments")


@pytest.mark.parametrize(
    ("catalog", "page"),
    [
        (b"/Names 7", b"/Annots 7"),
        (b"/Names << /EmbeddedFiles 2 0 R >>", b"/Annots 3 0 R"),
        (b"/Names << /EmbeddedFiles << /Kids [1 0 R 77 0 R] >> >>", b"/Annots [99 0 R null 5 << >>]"),
    ],
)
def test_damaged_lists_stop_nothing(catalog: bytes, page: bytes) -> None:
    """A note is not worth a file that can be read."""
    assert noted(with_entries(catalog, page)) == ()
