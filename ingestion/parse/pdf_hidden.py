"""Text of a PDF page that no reader sees: how instructions to a model arrive in a document."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ingestion.document import Box

INVISIBLE = "invisible"
"""Neither filled nor stroked (render mode 3), or fully transparent."""
OFF_PAGE = "off the page"
TINY = "too small to read"
SAME_COLOUR = "in the colour of its background"
COVERED = "painted over"

_MIN_SIZE = 1.5
"""Points; on a small page less, by its height. The smallest print in use has 3."""
_MIN_SIZE_SHARE = 1 / 300
_MAX_DIFFERENCE = 24
"""Of two colours in any channel, of 255, that no reader tells apart."""
_WHITE = 0xFFFFFF
_PALE = 0xE0E0E0
"""The bits that every colour close to white has."""
_MIN_FILL = 5.0
"""Points; lower and narrower fills are rules."""
_DPI = 48
"""At this scale the smallest print still leaves a shade."""
_MAX_PIXELS = 4_000_000
_MAX_SINGLE_CHECKS = 20
"""Rendering a line's place costs 0.1 to 1 ms; after so many the whole page is rendered, once."""


class Shape(NamedTuple):
    """A drawn path, or a piece of one."""

    box: Box
    order: int
    """When it was drawn, against the page's lines."""
    colour: int
    """0xRRGGBB"""
    stroked: bool
    rect: bool
    opaque_rect: bool
    """Whether it is a filled rectangle that nothing shines through."""


class OnPage:
    """What is drawn on a page, and so what can be seen there.

    Colours and covers only raise a suspicion: a shadow, a picture or a blend mode may tell text and ground
    apart. Then its place is rendered, small, and the text is hidden where all pixels look the same.
    """

    def __init__(
        self, width: float, height: float, shapes: Sequence[Shape], drawn: Callable[[], Any]
    ) -> None:
        """`drawn` gives PyMuPDF's display list of the page, without rotation."""
        self._make_drawn = drawn
        self._drawn: Any = None
        self._width, self._height = width, height
        self._min_size = min(_MIN_SIZE, self._height * _MIN_SIZE_SHARE)
        self._fills = [shape for shape in shapes if _is_fill(shape)]
        self._checks = 0
        self._whole: Any = None

    def is_plain(self, box: Sequence[float], spans: Sequence[dict[str, Any]], order: int) -> bool:
        """Whether nothing is suspicious in a line of PyMuPDF's spans, drawn as the `order`th thing."""
        x0, y0, x1, y1 = box
        if x0 < 0 or y0 < 0 or x1 > self._width or y1 > self._height:
            return False
        smallest = self._min_size
        for span in spans:
            if not span["alpha"] or span["size"] < smallest or span["color"] & _PALE == _PALE:
                return False
        if not self._fills:
            return True
        touched = [fill for fill in self._fills if _touches(fill.box, box)]
        if any(fill.order > order and fill.opaque_rect for fill in touched):
            return False
        colours = {span["color"] for span in spans}
        return not any(_close(colour, fill.colour) for colour in colours for fill in touched)

    def why_hidden(self, span: dict[str, Any], order: int) -> str:
        """As `Part.hidden`, of one of PyMuPDF's spans, drawn as the `order`th thing."""
        x0, y0, x1, y1 = box = span["bbox"]
        if not span["text"].strip():
            return ""
        if not span["alpha"]:
            return INVISIBLE
        if span["size"] < self._min_size:
            return TINY
        if x1 <= 0 or y1 <= 0 or x0 >= self._width or y0 >= self._height:
            return OFF_PAGE
        if self._is_covered(box, order) and self._looks_empty(box):
            return COVERED
        return (
            SAME_COLOUR if _close(span["color"], self._ground(box, order)) and self._looks_empty(box) else ""
        )

    def _is_covered(self, box: Sequence[float], order: int) -> bool:
        return any(
            fill.order > order and fill.opaque_rect and _contains(fill.box, box) for fill in self._fills
        )

    def _ground(self, box: Sequence[float], order: int) -> int:
        """The colour of the last fill below the middle of `box`."""
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        for fill in reversed(self._fills):
            if fill.order < order and _contains(fill.box, (x, y, x, y)):
                return fill.colour
        return _WHITE

    def _looks_empty(self, box: Sequence[float]) -> bool:
        x0, y0, x1, y1 = box
        # Ascenders and descenders reach into the lines above and below.
        inset = (y1 - y0) * 0.2
        place = max(x0, 0), max(y0 + inset, 0), min(x1, self._width), min(y1 - inset, self._height)
        if place[0] >= place[2] or place[1] >= place[3]:
            return True
        self._drawn = self._drawn or self._make_drawn()
        self._checks += 1
        if self._checks <= _MAX_SINGLE_CHECKS:
            seen = _pixels(_rendered(self._drawn, place))
        else:
            self._whole = self._whole or _rendered(self._drawn, (0, 0, self._width, self._height))
            seen = _pixels(self._whole, [edge / self._width * self._whole.width for edge in place])
        return all(max(seen[c::3]) - min(seen[c::3]) <= _MAX_DIFFERENCE for c in range(3))


def _rendered(drawn: Any, place: Sequence[float]) -> Any:
    import pymupdf

    area = (place[2] - place[0]) * (place[3] - place[1])
    zoom = min(_DPI / 72, (_MAX_PIXELS / area) ** 0.5)
    return drawn.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), colorspace=pymupdf.csRGB, alpha=0, clip=place)


def _pixels(pixmap: Any, place: Sequence[float] | None = None) -> bytes:
    """RGB, RGB, … of all of it, or of what `place`, in its pixels, touches."""
    if place is None:
        return bytes(pixmap.samples_mv)
    left, top, right, bottom = int(place[0]), int(place[1]), int(place[2]) + 1, int(place[3]) + 1
    rows = range(top, min(bottom, pixmap.height))
    stride, samples = pixmap.stride, pixmap.samples_mv
    end = min(right, pixmap.width) * 3
    return b"".join(bytes(samples[y * stride + left * 3 : y * stride + end]) for y in rows)


def _is_fill(shape: Shape) -> bool:
    box = shape.box
    return not shape.stroked and box.x1 - box.x0 >= _MIN_FILL and box.y1 - box.y0 >= _MIN_FILL


def _close(one: int, other: int) -> bool:
    return (
        abs((one >> 16) - (other >> 16)) <= _MAX_DIFFERENCE
        and abs((one >> 8 & 255) - (other >> 8 & 255)) <= _MAX_DIFFERENCE
        and abs((one & 255) - (other & 255)) <= _MAX_DIFFERENCE
    )


def _touches(one: Sequence[float], other: Sequence[float]) -> bool:
    return one[0] < other[2] and one[2] > other[0] and one[1] < other[3] and one[3] > other[1]


def _contains(outer: Sequence[float], inner: Sequence[float]) -> bool:
    return outer[0] <= inner[0] and outer[1] <= inner[1] and outer[2] >= inner[2] and outer[3] >= inner[3]
