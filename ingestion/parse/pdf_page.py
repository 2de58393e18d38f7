"""One look at a PDF page: its lines, shapes and pictures, interpreted once for routing and reading."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ingestion.document import Box
from ingestion.limits import Limits
from ingestion.parse.pdf_hidden import INVISIBLE, OnPage, Shape
from ingestion.parse.pdf_left_out import Beside, beside
from ingestion.parse.pdf_line import Line, lines_of
from ingestion.parse.pdf_upright import Turn, degrees_of, turn, unrotate
from runtime.errors import DocumentTooLarge

_FLAGS, _IMAGES = 2 | 1024, 4
"""PyMuPDF's TEXT_PRESERVE_WHITESPACE with TEXT_COLLECT_VECTORS, and TEXT_PRESERVE_IMAGES; as numbers, since
importing PyMuPDF takes a second. Ligatures come out as letters, characters without a meaning as U+FFFD."""
_SMALL_PIXELS = 10_000
_EVERYWHERE = (-2147483648.0, -2147483648.0, 2147483520.0, 2147483520.0)
"""PyMuPDF clips text to the page: what stands beside it would be lost before it is marked. This is its own
INFINITE_RECT, against which it does not compare each character."""
_TEXT, _IMAGE, _SHAPE = 0, 1, 3


class Picture(NamedTuple):
    """An image where it is shown."""

    box: Box
    chars_before: int
    """Characters of the page's text drawn before it, and so perhaps under it."""


class PdfPage(NamedTuple):
    """A page as it is read: shown upright, and then turned, if that is how its text runs from left to right.
    The origin of all that is on it is its upper left corner.
    """

    number: int
    """1-based."""
    width: float
    height: float
    lines: tuple[Line, ...]
    shapes: tuple[Shape, ...]
    pictures: tuple[Picture, ...]
    beside: Beside
    turned: Turn | None = None
    doubts: OnPage | None = None
    """Of a page only glanced at: how to tell whether what seems hidden is."""

    def text(self) -> str:
        """What a reader sees, line by line."""
        return "\n".join(line.text for line in self.lines if not line.hidden)


def look_at(page: Any) -> PdfPage:
    """`page` is PyMuPDF's; in its document it is left as it was read, without rotation."""
    return settled(glance_at(page))


def glance_at(page: Any) -> PdfPage:
    """As `look_at`, but nothing is rendered: what may be hidden counts as seen until it is `settled`."""
    unrotate(page)
    found, turned = _interpreted(page), None
    if degrees := degrees_of(found.texts):
        turned = turn(page, degrees)
        found = _interpreted(page)
    _, _, width, height = page.rect
    on_page = OnPage(width, height, found.shapes, found.texts, page.get_displaylist)
    by_block = [list(lines_of(block, on_page, on_page.why_surely_hidden)) for block in found.texts]
    pictures = _pictures(found.images, by_block)
    lines = _beside_pictures([line for block in by_block for line in block], pictures)
    doubts = on_page if on_page.is_in_doubt else None
    number = page.number + 1
    return PdfPage(number, width, height, lines, found.shapes, pictures, beside(page), turned, doubts)


def settled(page: PdfPage) -> PdfPage:
    """The page with what is in doubt decided, by rendering it once; before its document is closed."""
    doubts = page.doubts
    if doubts is None:
        return page
    lines = [line for block in doubts.texts for line in lines_of(block, doubts, doubts.why_hidden)]
    return page._replace(lines=_beside_pictures(lines, page.pictures), doubts=None)


class _Image(NamedTuple):
    box: Box
    blocks_before: int
    """Of text."""
    cheap: bool
    """So small that PyMuPDF may decode it along with the text. A larger one takes up to 170 ms, more than to
    interpret the page again without images."""


class _Found(NamedTuple):
    """What MuPDF finds on a page: PyMuPDF's blocks of text, and the other things."""

    texts: list[Any]
    shapes: tuple[Shape, ...]
    images: list[_Image]


def _interpreted(page: Any) -> _Found:
    text = page.get_textpage(_EVERYWHERE, _FLAGS | _IMAGES)
    images = list(_images(text))
    if not all([image.cheap for image in images]):
        text = page.get_textpage(_EVERYWHERE, _FLAGS)
    blocks = text.extractDICT()["blocks"]
    texts = [block for block in blocks if block["type"] == _TEXT]
    return _Found(texts, tuple([_shape(block) for block in blocks if block["type"] == _SHAPE]), images)


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


def _pictures(images: Sequence[_Image], by_block: Sequence[Sequence[Line]]) -> tuple[Picture, ...]:
    if not images:
        return ()
    chars = [sum(len("".join(line.text.split())) for line in block) for block in by_block]
    return tuple(Picture(image.box, sum(chars[: image.blocks_before])) for image in images)


def _beside_pictures(lines: Sequence[Line], pictures: Sequence[Picture]) -> tuple[Line, ...]:
    """The page's lines, those of somebody's OCR marked."""
    return tuple([_of_ocr(line, pictures) for line in lines] if pictures else lines)


def _of_ocr(line: Line, pictures: Sequence[Picture]) -> Line:
    """Invisible text over a picture says what stands in the picture."""
    if line.hidden != INVISIBLE:
        return line
    x, y = (line.box.x0 + line.box.x1) / 2, (line.box.y0 + line.box.y1) / 2
    over = any(p.box.x0 <= x <= p.box.x1 and p.box.y0 <= y <= p.box.y1 for p in pictures)
    return line._replace(hidden="", unseen=True) if over else line
