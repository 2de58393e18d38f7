"""PDF pages that are shown rotated, or whose text runs up, down or upside down: turned, to be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ingestion.document import Box

STRAIGHT = 0.99
"""Cosine from which on text runs straight in a direction."""
_MIN_CHARS = 50
"""Less is a stamp, or the label of an axis."""
_MIN_SHARE = 0.5
"""Of the page's characters, that run the same way."""
_NOWHERE = (0.0, 0.0, 612.0, 792.0)
"""The page that MuPDF shows where the boxes of the file's have no area in common (its pdf-page.c)."""


class Turn(NamedTuple):
    """How a page was turned for its text to run from left to right."""

    degrees: int
    """Clockwise: 0, 90, 180 or 270."""
    width: float
    height: float
    """In points, of the page as it is shown."""

    def shown(self, box: Box) -> Box:
        """Where a place on the turned page is on the page as it is shown."""
        x0, y0, x1, y1 = box
        if self.degrees == 90:
            return Box(y0, self.height - x1, y1, self.height - x0)
        if self.degrees == 180:
            return Box(self.width - x1, self.height - y1, self.width - x0, self.height - y0)
        if self.degrees == 270:
            return Box(self.width - y1, x0, self.width - y0, x1)
        return box


def degrees_of(texts: Sequence[Any]) -> int:
    """By how much to turn a page, clockwise, for most of its text to run from left to right; 0 if it does.

    `texts` are PyMuPDF's blocks. Chinese that is written from top to bottom does not lie on its side.
    """
    askew = [line for block in texts for line in block["lines"] if line["dir"][0] <= STRAIGHT]
    if not askew:
        return 0
    chars = dict.fromkeys((90, 180, 270), 0)
    for line in askew:
        degrees = 0 if line["wmode"] else _degrees(*line["dir"])
        if degrees:
            chars[degrees] += _chars(line)
    most = max(chars, key=lambda degrees: chars[degrees])
    if chars[most] < _MIN_CHARS:
        return 0
    every = sum(_chars(line) for block in texts for line in block["lines"])
    return most if chars[most] > _MIN_SHARE * every else 0


def turn(page: Any, degrees: int) -> Turn:
    """Turns PyMuPDF's page within its document, so that every reader of it finds the page as turned."""
    turned = Turn(degrees, *page.rect.br)
    page.set_rotation(degrees)
    unrotate(page)
    return turned


def unrotate(page: Any) -> None:
    """Has the content of PyMuPDF's page drawn as it is shown, in place of a rotation."""
    if not page.rotation:
        return
    # Without this, PyMuPDF's own turns about the corner of a crop box that it then drops.
    page.set_mediabox(_shown(page))
    page.remove_rotation()


def _shown(page: Any) -> tuple[float, float, float, float]:
    """What MuPDF shows of the page, in the file's coordinates, whose y runs up."""
    media, crop = page.mediabox, page.cropbox  # PyMuPDF's crop box runs down
    left, right = max(media.x0, crop.x0), min(media.x1, crop.x1)
    bottom, top = max(media.y0, media.y1 - crop.y1), min(media.y1, media.y1 - crop.y0)
    return (left, bottom, right, top) if left < right and bottom < top else _NOWHERE


def _degrees(x: float, y: float) -> int:
    """0 for a slanting line."""
    if x < -STRAIGHT:
        return 180
    if abs(y) > STRAIGHT:
        return 270 if y > 0 else 90
    return 0


def _chars(line: Any) -> int:
    return sum(len(span["text"]) for span in line["spans"])
