"""The same extraction by the library alone: what ours is measured against, for text and for time."""

from __future__ import annotations

import contextlib
import importlib
import io
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pymupdf
import pymupdf4llm
from docling.backend.noop_backend import NoOpBackend
from docling.datamodel.base_models import InputFormat
from docling.datamodel.document import InputDocument

from ingestion.parsed import Level

_OFFICE = {
    ".docx": ("DOCX", "docling.backend.msword_backend", "MsWordDocumentBackend"),
    ".pptx": ("PPTX", "docling.backend.mspowerpoint_backend", "MsPowerpointDocumentBackend"),
    ".xlsx": ("XLSX", "docling.backend.msexcel_backend", "MsExcelDocumentBackend"),
    ".html": ("HTML", "docling.backend.html_backend", "HTMLDocumentBackend"),
    ".md": ("MD", "docling.backend.md_backend", "MarkdownDocumentBackend"),
}


def pdf_dicts(path: Path, *, corrected: bool) -> None:
    """PyMuPDF's whole text extraction, page by page. `corrected` is how PyMuPDF comes: it asks each
    character's font how high letters are. Ours does without, and so does who has imported pymupdf4llm."""
    pymupdf.TOOLS.unset_quad_corrections(not corrected)
    with pymupdf.open(path) as pdf:
        for page in pdf:
            page.get_text("dict")


def pdf_markdown(path: Path, level: Level) -> str:
    """What the library of that class's reader makes of a PDF."""
    if level == "LOW":
        with pymupdf.open(path) as pdf:
            return "\n".join(page.get_text() for page in pdf)
    html: dict[str, Any] = {"table_output": "html"} if level == "HIGH" else {}
    with contextlib.redirect_stdout(io.StringIO()):
        return str(pymupdf4llm.to_markdown(str(path), use_ocr=False, show_progress=False, **html))


def has_office(path: Path) -> bool:
    """Whether docling-slim reads such a file."""
    return path.suffix in _OFFICE


def office(path: Path) -> Callable[[], Any]:
    """Converts the file into docling's document at each call, reading it anew."""
    name, module, backend = _OFFICE[path.suffix]
    made = getattr(importlib.import_module(module), backend)

    def convert() -> Any:
        data = path.read_bytes()
        described = InputDocument(BytesIO(data), InputFormat[name], NoOpBackend, filename=path.name)
        return made(described, BytesIO(data)).convert()

    return convert
