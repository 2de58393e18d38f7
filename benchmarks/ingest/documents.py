"""Documents that the benchmark makes: each kind of any size, always the same for the same number."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from email.message import EmailMessage
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

import docx
import pptx
import pymupdf
from openpyxl import Workbook  # type: ignore[import-untyped]  # ships no types

from benchmarks.ingest.page_images import sentence

_LINES_A_PAGE = 44
_CHARS_A_LINE = 90
_SENTENCES = 4
"""A paragraph."""


def prose_pdf(number: int, pages: int) -> bytes:
    """Headings and paragraphs in one column."""
    chance = random.Random(f"pdf {number}")
    with pymupdf.open() as pdf:
        for page in range(pages):
            sheet = pdf.new_page()
            sheet.insert_text((60, 60), f"{page + 1} Part {page + 1}", fontname="hebo", fontsize=16)
            lines = list(islice(_wrapped(chance), _LINES_A_PAGE))
            sheet.insert_text((60, 90), lines, fontname="helv", fontsize=10, lineheight=1.5)
        return bytes(pdf.tobytes(garbage=3, deflate=True))


def _wrapped(chance: random.Random) -> Iterator[str]:
    """Lines without end; "" between paragraphs."""
    while True:
        line = ""
        for word in paragraph(chance).split(" "):
            if len(line) + len(word) > _CHARS_A_LINE:
                yield line
                line = word
            else:
                line = f"{line} {word}".lstrip()
        yield line
        yield ""


def paragraph(chance: random.Random) -> str:
    return " ".join(sentence(chance, "English") for _ in range(_SENTENCES))


def markdown(number: int, size: int) -> bytes:
    chance = random.Random(f"md {number}")
    return "".join(f"## Part {part}\n\n{paragraph(chance)}\n\n" for part in range(size)).encode()


def web_page(number: int, size: int) -> bytes:
    chance = random.Random(f"html {number}")
    parts = "".join(f"<h2>Part {part}</h2><p>{paragraph(chance)}</p>" for part in range(size))
    return f"<!DOCTYPE html><html><body><h1>Page {number}</h1>{parts}</body></html>".encode()


def csv(number: int, size: int) -> bytes:
    chance = random.Random(f"csv {number}")
    rows = (f"Plan {n},{chance.randint(1, 999)},{chance.randint(1, 99)} %" for n in range(size * 5))
    return "\n".join(("plan,price,share", *rows)).encode()


def mail(number: int, size: int) -> bytes:
    chance = random.Random(f"eml {number}")
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = (
        "ana@example.org",
        "ben@example.org",
        f"Offer {number}",
    )
    message.set_content("\n\n".join(paragraph(chance) for _ in range(size)))
    return message.as_bytes()


def word(number: int, size: int) -> bytes:
    chance = random.Random(f"docx {number}")
    document = docx.Document()
    for part in range(size):
        document.add_heading(f"Part {part}", 2)
        document.add_paragraph(paragraph(chance))
    return _saved(document)


def slides(number: int, size: int) -> bytes:
    chance = random.Random(f"pptx {number}")
    deck = pptx.Presentation()
    for part in range(size):
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = f"Part {part}"
        slide.placeholders[1].text = paragraph(chance)
    return _saved(deck)


def sheet(number: int, size: int) -> bytes:
    chance = random.Random(f"xlsx {number}")
    book = Workbook()
    book.active.append(["plan", "price", "share", "remark"])
    for row in range(size * 5):
        book.active.append([f"Plan {row}", chance.randint(1, 999), chance.random(), "per seat"])
    return _saved(book)


def _saved(document: Any) -> bytes:
    stream = BytesIO()
    document.save(stream)
    return stream.getvalue()


MAKERS: Mapping[str, Callable[[int, int], bytes]] = {
    "pdf": prose_pdf,
    "md": markdown,
    "html": web_page,
    "csv": csv,
    "eml": mail,
    "docx": word,
    "pptx": slides,
    "xlsx": sheet,
}


def write(folder: Path, count: int, size: int) -> list[Path]:
    """So many files, of all kinds in turn; `size`: parts, pages, slides or fives of rows of each."""
    paths = []
    for number in range(count):
        kind = list(MAKERS)[number % len(MAKERS)]
        paths.append(folder / f"{number}.{kind}")
        paths[-1].write_bytes(MAKERS[kind](number, size))
    return paths
