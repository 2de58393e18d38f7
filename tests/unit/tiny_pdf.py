"""Small PDF files written by hand, so that tests need no PDF library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Line(NamedTuple):
    """A line of text; `y` counts from the bottom of a page of 595 by 842 points."""

    text: str
    size: int = 10
    x: int = 60
    y: int = 700


ENCRYPTION = "<< /Filter /Standard /V 1 /R 2 /P -4 /O <" + "11" * 32 + "> /U <" + "22" * 32 + "> >>"
"""Standard encryption whose user password nobody knows (ISO 32000-1, 7.6.3)."""


def tiny_pdf(pages: Sequence[Sequence[Line]], *, rules: Sequence[str] = (), encrypted: bool = False) -> bytes:
    """A PDF with these lines; `rules` are drawing operators put on every page."""
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    kids = []
    for lines in pages:
        shown = [f"BT /F1 {at.size} Tf {at.x} {at.y} Td ({at.text}) Tj ET" for at in lines]
        stream = "\n".join([*rules, *shown])
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
        font = "/Resources << /Font << /F1 3 0 R >> >>"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] {font} /Contents {len(objects)} 0 R >>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Count {len(kids)} /Kids [{' '.join(kids)}] >>"
    return _written(objects, f"/Encrypt {ENCRYPTION} /ID [<33> <33>]" if encrypted else "")


def _written(objects: Sequence[str], extra: str) -> bytes:
    body = "%PDF-1.4\n"
    offsets = []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    trailer = f"trailer\n<< /Size {size} /Root 1 0 R {extra} >>\nstartxref\n{len(body)}\n%%EOF\n"
    return (body + f"xref\n0 {size}\n0000000000 65535 f \n{table}{trailer}").encode("latin-1")
