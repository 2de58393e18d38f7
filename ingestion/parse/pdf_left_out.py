"""What a PDF holds beside its pages and no reader of ours reads: attached files, and comments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_COMMENTS = frozenset(
    "Text Line Square Circle Polygon PolyLine Highlight Underline Squiggly StrikeOut Caret Ink".split()
)
"""Subtypes whose text shows in a window of its own (ISO 32000-1, 12.5.6.2); not FreeText and Stamp."""
_MAX_ANNOTATIONS = 10_000
"""Looked at in a file; a drawing by hand has a few hundred."""


def left_out(pdf: Any) -> tuple[str, ...]:
    """Notes on PyMuPDF's document, with numbers. What annotations write onto the page is text of the page."""
    files, comments = _attached(pdf), 0
    for kind, content in _annotations(pdf):
        files += kind == "FileAttachment"
        comments += kind in _COMMENTS and bool(content.strip())
    notes = [f"left out: {files} attached files"] * bool(files)
    return (*notes, *[f"left out: {comments} comments"] * bool(comments))


def _attached(pdf: Any) -> int:
    """`embfile_count` sees none where the names are divided into branches."""
    from pymupdf import mupdf

    own = mupdf.pdf_document_from_fz_document(pdf.this)
    files = mupdf.pdf_load_name_tree(own, mupdf.pdf_new_name("EmbeddedFiles"))
    return int(mupdf.pdf_dict_len(files))


def _annotations(pdf: Any) -> Iterator[tuple[str, str]]:
    """Subtype and text of each."""
    left = _MAX_ANNOTATIONS
    for number in range(pdf.page_count):
        # Most pages have none, and loading a page takes longer than asking for them.
        if pdf.xref_get_key(pdf.page_xref(number), "Annots")[0] == "null":
            continue
        # An annotation does not outlive PyMuPDF's page.
        page = pdf[number]
        annotation = page.first_annot
        while annotation and left:
            yield annotation.type[1], annotation.info["content"]
            annotation, left = annotation.next, left - 1
