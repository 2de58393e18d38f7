"""Recognised lines laid straight: what the search for columns, tables and paragraphs works on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import median
from typing import NamedTuple

from ingestion.document import Box

_LONG = 3.0
"""Width to height from which a line's slope tells the page's."""
_CJK_FROM = "\u2e80"


class Point(NamedTuple):
    x: float
    y: float


class Line(NamedTuple):
    """A line as an engine recognised it."""

    text: str
    corners: tuple[Point, Point, Point, Point]
    """In pixels, clockwise from the upper left."""
    confidence: float
    """In [0, 1]."""


class Segment(NamedTuple):
    """A line, or a piece of one, on the page turned straight."""

    line: Line
    box: Box
    """Upright, in pixels of the straightened page."""

    @property
    def height(self) -> float:
        return self.box.y1 - self.box.y0

    @property
    def middle(self) -> float:
        return (self.box.y0 + self.box.y1) / 2

    @property
    def ems(self) -> float:
        """Of the text, about: a Chinese character counts one, a capital two thirds, another half."""
        return sum(_em(char) for char in self.line.text)


def _em(char: str) -> float:
    return 1.0 if char >= _CJK_FROM else 0.67 if char.isupper() else 0.5


def straighten(lines: Iterable[Line]) -> list[Segment]:
    """The lines turned about the image's corner until most of them are level; those without text left out."""
    lines = [line for line in lines if line.text.strip()]
    slope = _slope(lines)
    turn = complex(math.cos(slope), -math.sin(slope))
    return [Segment(line, _upright(line, turn)) for line in lines]


def bounds(boxes: Iterable[Box]) -> Box:
    """The smallest box around all; at least one."""
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return Box(min(x0), min(y0), max(x1), max(y1))


def box_of(segments: Iterable[Segment]) -> Box:
    """In the image's own pixels, around all of their corners."""
    points = [Box(*corner, *corner) for segment in segments for corner in segment.line.corners]
    return bounds(points)


def confidence_of(segments: Sequence[Segment]) -> float:
    """The mean, weighted by characters."""
    total = sum(len(segment.line.text) for segment in segments)
    return sum(segment.line.confidence * len(segment.line.text) for segment in segments) / total


def rows_of(segments: Iterable[Segment]) -> list[list[Segment]]:
    """Segments at the same height as rows from top to bottom, each from left to right."""
    rows: list[list[Segment]] = []
    for segment in sorted(segments, key=lambda each: each.middle):
        if rows and _is_beside(rows[-1], segment):
            rows[-1].append(segment)
        else:
            rows.append([segment])
    return [sorted(row, key=lambda each: each.box.x0) for row in rows]


def _is_beside(row: Sequence[Segment], segment: Segment) -> bool:
    if abs(median(each.middle for each in row) - segment.middle) > segment.height / 2:
        return False
    return all(_shared(each, segment) < min(each.height, segment.height) for each in row)


def _shared(one: Segment, other: Segment) -> float:
    return min(one.box.x1, other.box.x1) - max(one.box.x0, other.box.x0)


def _slope(lines: Sequence[Line]) -> float:
    """The median of the long lines, in radians; 0 without any."""
    slopes = []
    for line in lines:
        left, right, _, below = line.corners
        width = math.dist(left, right)
        if width > _LONG * math.dist(left, below):
            slopes.append(math.atan2(right.y - left.y, right.x - left.x))
    return median(slopes) if slopes else 0.0


def _upright(line: Line, turn: complex) -> Box:
    """By the sides' lengths: each box leans a little otherwise, and its corners reach into its neighbours."""
    first, second, third, fourth = line.corners
    middle = complex(*map(sum, zip(*line.corners, strict=True))) / 4 * turn
    half = (math.dist(first, second) + math.dist(fourth, third)) / 4
    tall = (math.dist(first, fourth) + math.dist(second, third)) / 4
    return Box(middle.real - half, middle.imag - tall, middle.real + half, middle.imag + tall)
