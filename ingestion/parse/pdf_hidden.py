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
_DOUBTS = (SAME_COLOUR, COVERED)
"""What colours and order suggest, and only a look at the page can tell."""

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
_ALWAYS = 1 << 62
"""Later than anything is drawn."""


_Trap = tuple[float, float, float, float, int]
"""A box, and the order until which what is drawn there may be hidden."""


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
    alpha: int = 255
    """0 for one that is not seen: presentation programs draw such frames around text."""


class OnPage:
    """What is drawn on a page, and so what can be seen there.

    Colours and covers only raise a doubt: a shadow, a picture or a blend mode may tell text and ground
    apart. Then the places of all doubts are rendered at once, small, and text is hidden where all pixels
    look the same.
    """

    def __init__(
        self,
        width: float,
        height: float,
        shapes: Sequence[Shape],
        texts: Sequence[dict[str, Any]],
        drawn: Callable[[], Any],
    ) -> None:
        """`texts` are PyMuPDF's blocks, `drawn` gives its display list of the page, without rotation."""
        self._width, self._height = width, height
        self._min_size = min(_MIN_SIZE, height * _MIN_SIZE_SHARE)
        self._fills = [shape for shape in shapes if _is_fill(shape)]
        self.texts = texts
        self.is_in_doubt = False
        self._drawn = drawn
        self._traps: dict[int, list[_Trap]] = {}
        self._seen: _Seen | None = None

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
        colours = {span["color"] for span in spans}
        return not any([self._is_trapped(box, colour, order) for colour in colours])

    def why_hidden(self, span: dict[str, Any], order: int) -> str:
        """As `Part.hidden`, of one of PyMuPDF's spans, drawn as the `order`th thing."""
        reason = self._suspicion(span, order)
        return "" if reason in _DOUBTS and not self._looks_empty(span["bbox"]) else reason

    def why_surely_hidden(self, span: dict[str, Any], order: int) -> str:
        """The same without a look at the page, which `is_in_doubt` where that may tell more."""
        reason = self._suspicion(span, order)
        if reason not in _DOUBTS:
            return reason
        self.is_in_doubt = True
        return ""

    def _suspicion(self, span: dict[str, Any], order: int) -> str:
        x0, y0, x1, y1 = box = span["bbox"]
        if not span["text"].strip():
            return ""
        if not span["alpha"]:
            return INVISIBLE
        if span["size"] < self._min_size:
            return TINY
        if x1 <= 0 or y1 <= 0 or x0 >= self._width or y0 >= self._height:
            return OFF_PAGE
        if self._is_covered(box, order):
            return COVERED
        return SAME_COLOUR if _close(span["color"], self._ground(box, order)) else ""

    def _looks_empty(self, box: Sequence[float]) -> bool:
        place = self._clipped(box)
        if place[0] >= place[2] or place[1] >= place[3]:
            return True
        self._seen = self._seen or _rendered(self._drawn(), self._doubted())
        seen = self._seen.pixels(place)
        return all(max(seen[c::3]) - min(seen[c::3]) <= _MAX_DIFFERENCE for c in range(3))

    def _is_trapped(self, box: Sequence[float], colour: int, order: int) -> bool:
        """Whether it touches a fill of nearly its colour, or one that is drawn over it."""
        traps = self._traps.get(colour)
        if traps is None:
            near = [(fill, _close(colour, fill.colour)) for fill in self._fills]
            traps = [
                (*fill.box, _ALWAYS if same else fill.order)
                for fill, same in near
                if same or fill.opaque_rect
            ]
            self._traps[colour] = traps
        x0, y0, x1, y1 = box
        for left, top, right, bottom, until in traps:
            if order < until and left < x1 and right > x0 and top < y1 and bottom > y0:
                return True
        return False

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

    def _clipped(self, box: Sequence[float]) -> Box:
        x0, y0, x1, y1 = box
        # Ascenders and descenders reach into the lines above and below.
        inset = (y1 - y0) * 0.2
        return Box(max(x0, 0), max(y0 + inset, 0), min(x1, self._width), min(y1 - inset, self._height))

    def _doubted(self) -> Box:
        """Around all that is in doubt."""
        lefts, tops, rights, bottoms = zip(
            *(
                self._clipped(span["bbox"])
                for block in self.texts
                for line in block["lines"]
                for span in line["spans"]
                if self._suspicion(span, block["number"]) in _DOUBTS
            ),
            strict=True,
        )
        return Box(min(lefts), min(tops), max(rights), max(bottoms))


class _Seen(NamedTuple):
    """A part of the page as it looks."""

    pixmap: Any
    zoom: float

    def pixels(self, place: Box) -> bytes:
        """RGB, RGB, … of what `place` touches."""
        pixmap, zoom = self.pixmap, self.zoom
        left, right = (int(x * zoom) - pixmap.x for x in (place.x0, place.x1))
        top, bottom = (int(y * zoom) - pixmap.y for y in (place.y0, place.y1))
        start, end = max(left, 0) * 3, min(right + 1, pixmap.width) * 3
        rows = range(max(top, 0), min(bottom + 1, pixmap.height))
        stride, samples = pixmap.stride, pixmap.samples_mv
        return b"".join(bytes(samples[y * stride + start : y * stride + end]) for y in rows)


def _rendered(drawn: Any, place: Box) -> _Seen:
    import pymupdf

    area = (place.x1 - place.x0) * (place.y1 - place.y0)
    zoom = min(_DPI / 72, (_MAX_PIXELS / area) ** 0.5)
    matrix = pymupdf.Matrix(zoom, zoom)
    return _Seen(drawn.get_pixmap(matrix=matrix, colorspace=pymupdf.csRGB, alpha=0, clip=place), zoom)


def _is_fill(shape: Shape) -> bool:
    box = shape.box
    # A fill that changes no colour by more than that is no ground.
    seen = shape.alpha > _MAX_DIFFERENCE and not shape.stroked
    return seen and box.x1 - box.x0 >= _MIN_FILL and box.y1 - box.y0 >= _MIN_FILL


def _close(one: int, other: int) -> bool:
    return (
        abs((one >> 16) - (other >> 16)) <= _MAX_DIFFERENCE
        and abs((one >> 8 & 255) - (other >> 8 & 255)) <= _MAX_DIFFERENCE
        and abs((one & 255) - (other & 255)) <= _MAX_DIFFERENCE
    )


def _contains(outer: Sequence[float], inner: Sequence[float]) -> bool:
    return outer[0] <= inner[0] and outer[1] <= inner[1] and outer[2] >= inner[2] and outer[3] >= inner[3]
