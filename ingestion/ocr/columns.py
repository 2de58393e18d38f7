"""Reading order: a page cut at its white space into columns and what spans them (an XY-cut)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from ingestion.ocr.segment import Segment, bounds

_OVERLAP = 0.2
"""Of a line's height: engines draw boxes wider than the ink, so that neighbours overlap by about this."""
_GUTTER = 0.5
"""Least white space between columns, in heights of a line."""
_TALL = 3.0
"""Least height of columns, in heights of a line: below, white space is chance."""
_RUNNING = 8.0
"""Median width of the lines of running text, in their heights; keys, bullets and figures are narrower."""
_PROSE_EMS, _PROSE_LINES, _FULL = 12.0, 5, 0.85
"""Least length and number of lines of text that is set to a width, and how much of that they fill."""
_ALIGNED = 0.6
"""From this share of lines with a neighbour at their height on, narrow columns are rows of a form."""
_LEVEL = 0.25
"""Difference of two lines of a row, in their height."""
_MAX_DEPTH = 8

Span = tuple[float, float]


def groups_of(segments: Sequence[Segment]) -> list[list[Segment]]:
    """Stacked from top to bottom, each either with white space through all of it, or without."""
    groups: list[list[Segment]] = []
    for band in _bands(segments):
        joined = [*groups[-1], *band] if groups else []
        if joined and (gutters(joined) or (not gutters(groups[-1]) and not gutters(band))):
            groups[-1] = joined
        else:
            groups.append(band)
    return _without_accidents(groups)


def columns_of(group: Sequence[Segment], depth: int = 0) -> Iterator[list[Segment]]:
    """The group's columns from left to right, each cut again; the group itself where it has none."""
    columns = _cut(group, gutters(group)) if depth < _MAX_DEPTH else []
    if len(columns) < 2 or not _are_columns(columns):
        yield list(group)
        return
    for column in columns:
        for inner in groups_of(column):
            yield from columns_of(inner, depth + 1)


def gutters(segments: Sequence[Segment]) -> list[Span]:
    """White space from top to bottom of all of the segments, from left to right."""
    least = _GUTTER * median(segment.height for segment in segments)
    found: list[Span] = []
    end = float("inf")
    for segment in sorted(segments, key=lambda each: each.box.x0):
        if segment.box.x0 - end >= least:
            found.append((end, segment.box.x0))
        end = segment.box.x1 if end == float("inf") else max(end, segment.box.x1)
    return found


def _bands(segments: Sequence[Segment]) -> Iterator[list[Segment]]:
    """Cut wherever white space runs from left to right."""
    band: list[Segment] = []
    end = 0.0
    for segment in sorted(segments, key=lambda each: each.box.y0):
        margin = _OVERLAP * segment.height
        if band and segment.box.y0 + margin > end:
            yield band
            band = []
        end = max(end, segment.box.y1 - margin) if band else segment.box.y1 - margin
        band.append(segment)
    if band:
        yield band


def _without_accidents(groups: Sequence[list[Segment]]) -> list[list[Segment]]:
    """Joins what stands between full lines, and is too low for columns, to them: a line found in pieces."""
    kept: list[list[Segment]] = []
    for group in groups:
        if kept and not (_is_split(group) or _is_split(kept[-1])):
            kept[-1] = [*kept[-1], *group]
        else:
            kept.append(group)
    return kept


def _is_split(group: Sequence[Segment]) -> bool:
    box = bounds(segment.box for segment in group)
    height = median(segment.height for segment in group)
    return bool(gutters(group)) and box.y1 - box.y0 >= _TALL * height


def _cut(group: Sequence[Segment], at: Sequence[Span]) -> list[list[Segment]]:
    if not _is_split(group):
        return [list(group)]
    columns: list[list[Segment]] = [[] for _ in range(len(at) + 1)]
    for segment in group:
        columns[sum(start < segment.box.x1 - 1e-6 for start, _ in at)].append(segment)
    return columns


def _are_columns(columns: Sequence[Sequence[Segment]]) -> bool:
    """Whether they are read one after another, and not row by row."""
    if not all(_are_side_by_side(*pair) for pair in pairwise(columns)):
        return False
    if all(_is_running(column) for column in columns) or any(_is_prose(column) for column in columns):
        return True
    narrow = min(columns, key=len)
    others = [segment for column in columns if column is not narrow for segment in column]
    beside = sum(any(_is_level(each, other) for other in others) for each in narrow)
    return beside < _ALIGNED * len(narrow)


def _is_level(one: Segment, other: Segment) -> bool:
    return abs(one.middle - other.middle) < _LEVEL * one.height


def _are_side_by_side(one: Sequence[Segment], other: Sequence[Segment]) -> bool:
    left, right = (bounds(each.box for each in column) for column in (one, other))
    return 2 * (min(left.y1, right.y1) - max(left.y0, right.y0)) > min(left.y1 - left.y0, right.y1 - right.y0)


def _is_running(column: Sequence[Segment]) -> bool:
    return median((each.box.x1 - each.box.x0) / each.height for each in column) >= _RUNNING


def _is_prose(column: Sequence[Segment]) -> bool:
    """Whether most lines are long, and as long as the column is wide: cells of a table are of all lengths."""
    right = max(each.box.x1 for each in column)
    left = min(each.box.x0 for each in column)
    full = sum(each.box.x1 - each.box.x0 > _FULL * (right - left) for each in column)
    return median(each.ems for each in column) >= _PROSE_EMS and 2 * full > len(column) >= _PROSE_LINES
