"""What a PDF holds beside its pages and no reader of ours reads: attached files, and comments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

_COMMENTS = frozenset(
    "Text Line Square Circle Polygon PolyLine Highlight Underline Squiggly StrikeOut Caret Ink".split()
)
"""Subtypes whose text shows in a window of its own (ISO 32000-1, 12.5.6.2); not FreeText and Stamp."""
_MAX_ANNOTATIONS = 10_000
"""Looked at on a page; a drawing by hand has a few hundred."""


class Beside(NamedTuple):
    """How many of a page's annotations say something that is not on the page."""

    files: int = 0
    comments: int = 0


def beside(page: Any) -> Beside:
    """`page` is PyMuPDF's. What annotations write onto it is text of the page."""
    first = page.first_annot
    if not first:
        return Beside()
    files = comments = 0
    for annotation in islice(_annotations(first), _MAX_ANNOTATIONS):
        kind = annotation.type[1]
        files += kind == "FileAttachment"
        comments += kind in _COMMENTS and bool(annotation.info["content"].strip())
    return Beside(files, comments)


def left_out(pdf: Any, pages: Iterable[Beside]) -> tuple[str, ...]:
    """Notes on PyMuPDF's document and all its pages, with numbers."""
    by_page = list(pages)
    files = _attached(pdf) + sum(page.files for page in by_page)
    comments = sum(page.comments for page in by_page)
    notes = [f"left out: {files} attached files"] * bool(files)
    return (*notes, *[f"left out: {comments} comments"] * bool(comments))


def _attached(pdf: Any) -> int:
    """`embfile_count` sees none where the names are divided into branches."""
    from pymupdf import mupdf

    own = mupdf.pdf_document_from_fz_document(pdf.this)
    files = mupdf.pdf_load_name_tree(own, mupdf.pdf_new_name("EmbeddedFiles"))
    return int(mupdf.pdf_dict_len(files))


def _annotations(first: Any) -> Iterator[Any]:
    while first:
        yield first
        first = first.next
