"""One look at a PDF page: its lines, shapes and pictures, interpreted once for routing and reading."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ingestion.document import Box
from ingestion.limits import Limits
from ingestion.parse.pdf_hidden import INVISIBLE, OnPage, Shape
from runtime.errors import DocumentTooLarge

_FLAGS, _IMAGES = 2 | 1024, 4
"""PyMuPDF's TEXT_PRESERVE_WHITESPACE with TEXT_COLLECT_VECTORS, and TEXT_PRESERVE_IMAGES; as numbers, since
importing PyMuPDF takes a second. Ligatures come out as letters, characters without a meaning as U+FFFD."""
_SMALL_PIXELS = 10_000
_EVERYWHERE = (-2147483648.0, -2147483648.0, 2147483520.0, 2147483520.0)
"""PyMuPDF clips text to the page: what stands beside it would be lost before it is marked. This is its own
INFINITE_RECT, against which it does not compare each character."""
_BOLD, _MONO = 16, 8
"""PyMuPDF's TEXT_FONT_BOLD and TEXT_FONT_MONOSPACED."""
_TEXT, _IMAGE, _SHAPE = 0, 1, 3


class Line(NamedTuple):
    """Text that stands on one line, without a wide gap in it."""

    box: Box
    text: str
    size: float
    """Of its longest run, in points, to a half."""
    base: float
    """The y of its baseline: on a row the same for all fonts."""
    block: int
    """MuPDF's paragraph, counted in the order of drawing."""
    bold: bool
    """From its first run to its last."""
    mono: bool
    level: bool
    """Whether it runs from left to right."""
    hidden: str = ""
    """As `Part.hidden`."""
    unseen: bool = False
    """Invisible, but over a picture whose text it spells out: a layer that somebody's OCR wrote."""


class Picture(NamedTuple):
    """An image where it is shown."""

    box: Box
    chars_before: int
    """Characters of the page's text drawn before it, and so perhaps under it."""


@dataclass(frozen=True)
class PdfPage:
    """A page as it is shown: rotation is applied, the origin is its upper left corner."""

    number: int
    """1-based."""
    width: float
    height: float
    lines: tuple[Line, ...]
    shapes: tuple[Shape, ...]
    pictures: tuple[Picture, ...]
    doubts: OnPage | None = None
    """Of a page only glanced at: how to tell whether what seems hidden is."""

    def text(self) -> str:
        """What a reader sees, line by line."""
        return "\n".join(line.text for line in self.lines if not line.hidden)


def look_at(page: Any) -> PdfPage:
    """`page` is PyMuPDF's; its rotation is removed."""
    return settled(glance_at(page))


def glance_at(page: Any) -> PdfPage:
    """As `look_at`, but nothing is rendered: what may be hidden counts as seen until it is `settled`."""
    page.remove_rotation()
    width, height = page.rect.br
    text = page.get_textpage(_EVERYWHERE, _FLAGS | _IMAGES)
    images = list(_images(text))
    if not all(image.cheap for image in images):
        text = page.get_textpage(_EVERYWHERE, _FLAGS)
    found = text.extractDICT()["blocks"]
    shapes = tuple([_shape(block) for block in found if block["type"] == _SHAPE])
    texts = [block for block in found if block["type"] == _TEXT]
    on_page = OnPage(width, height, shapes, texts, page.get_displaylist)
    by_block = [list(_lines(block, on_page, on_page.why_surely_hidden)) for block in texts]
    counts = [sum([len("".join(line.text.split())) for line in block]) for block in by_block if images]
    pictures = tuple([Picture(image.box, sum(counts[: image.blocks_before])) for image in images])
    lines = _beside([line for block in by_block for line in block], pictures)
    doubts = on_page if on_page.is_in_doubt else None
    return PdfPage(page.number + 1, width, height, lines, shapes, pictures, doubts)


def settled(page: PdfPage) -> PdfPage:
    """The page with what is in doubt decided, by rendering it once; before its document is closed."""
    doubts = page.doubts
    if doubts is None:
        return page
    lines = [line for block in doubts.texts for line in _lines(block, doubts, doubts.why_hidden)]
    return replace(page, lines=_beside(lines, page.pictures), doubts=None)


class _Image(NamedTuple):
    box: Box
    blocks_before: int
    """Of text."""
    cheap: bool
    """So small that PyMuPDF may decode it along with the text. A larger one takes up to 170 ms, more than to
    interpret the page again without images."""


def _images(text: Any) -> Iterator[_Image]:
    """Along MuPDF's own chain of blocks: any of PyMuPDF's lists takes as long as the text does."""
    from pymupdf import mupdf

    blocks = 0
    block = text.this.m_internal.first_block
    while block:
        kind = block.type
        if kind == _TEXT:
            blocks += 1
        elif kind == _IMAGE:
            box, image = block.bbox, mupdf.FzStextBlock(block).i_image()
            cheap = image.w() * image.h() <= _SMALL_PIXELS
            yield _Image(Box(box.x0, box.y0, box.x1, box.y1), blocks, cheap)
        block = block.next


def refuse_large_images(images: Sequence[Any], number: int, limits: Limits) -> None:
    """`images` as `page.get_images()` lists them. Raises DocumentTooLarge past `limits.pixels`."""
    for image in images:
        width, height = image[2:4]
        if width * height > limits.pixels:
            raise DocumentTooLarge(
                f"an image on page {number} has {width} x {height} pixels; at most {limits.pixels} are read",
                page=number,
                limit=limits.pixels,
            )


def _shape(block: dict[str, Any]) -> Shape:
    opaque = block["isrect"] and block["alpha"] == 255 and not block["stroked"]
    box = Box(*block["bbox"])
    return Shape(
        box, block["number"], block["color"], block["stroked"], block["isrect"], opaque, block["alpha"]
    )


def _lines(
    block: dict[str, Any], on_page: OnPage, why_hidden: Callable[[dict[str, Any], int], str]
) -> Iterator[Line]:
    """A line whose parts differ in being hidden becomes several."""
    number = block["number"]
    for line in block["lines"]:
        spans = line["spans"]
        box = line["bbox"]
        level = line["dir"][0] > 0.99
        if on_page.is_plain(box, spans, number):
            yield _line(box, spans, number, level, "")
            continue
        reasons = [why_hidden(span, number) for span in spans]
        for reason in dict.fromkeys(reasons):
            chosen = [span for span, why in zip(spans, reasons, strict=True) if why == reason]
            yield _line(_around(chosen), chosen, number, level, reason)


def _line(box: Sequence[float], spans: Sequence[Any], block: int, level: bool, hidden: str) -> Line:
    first = spans[0]
    text, flags = first["text"], first["flags"]
    if len(spans) > 1:
        text = "".join([span["text"] for span in spans])
        flags &= spans[-1]["flags"]
        first = max(spans, key=_length)
        flags &= first["flags"]
    size, base = round(first["size"] * 2) / 2, first["origin"][1]
    bold, mono = flags & _BOLD > 0, flags & _MONO > 0
    return Line(Box(*box), text, size, base, block, bold, mono, level, hidden)


def _length(span: dict[str, Any]) -> int:
    return len(span["text"])


def _around(spans: Sequence[Any]) -> Sequence[float]:
    lefts, tops, rights, bottoms = zip(*(span["bbox"] for span in spans), strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _beside(lines: Sequence[Line], pictures: Sequence[Picture]) -> tuple[Line, ...]:
    """The page's lines, those of somebody's OCR marked."""
    return tuple([_of_ocr(line, pictures) for line in lines] if pictures else lines)


def _of_ocr(line: Line, pictures: Sequence[Picture]) -> Line:
    """Invisible text over a picture says what stands in the picture."""
    if line.hidden != INVISIBLE:
        return line
    x, y = (line.box.x0 + line.box.x1) / 2, (line.box.y0 + line.box.y1) / 2
    over = any(p.box.x0 <= x <= p.box.x1 and p.box.y0 <= y <= p.box.y1 for p in pictures)
    return line._replace(hidden="", unseen=True) if over else line
