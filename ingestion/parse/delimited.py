"""CSV, TSV and their kin: one table, its delimiter found by what divides the rows alike."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from io import StringIO
from typing import NamedTuple

from ingestion.encoding import decode
from ingestion.options import ReadOptions
from ingestion.parse.grid import rows_as_table, span
from ingestion.parsed import Parsed, Route
from runtime.errors import DocumentCorrupt

_DELIMITERS = "\t;|,"
"""The comma last: where two divide alike, it is the decimal sign."""
_SAMPLE_CHARS = 65_536
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
"""Excel's own way to state the delimiter."""
_MIN_SHARE = 0.9
_MIN_ROWS = 3
_MIN_COMMA_ROWS = 4
_MAX_MEAN_CHARS = 60
"""Of the fields of a table whose name does not say what it is; prose divides into longer ones."""


class _Divided(NamedTuple):
    delimiter: str
    columns: int
    share: float
    """Of the sampled rows, those with this number of columns."""
    rows: int
    mean_chars: float


def parse(data: bytes, name: str, options: ReadOptions) -> Parsed:
    """One table with its range, `A1:F20`; rows are records, so a quoted line break starts none.

    Raises DocumentCorrupt for binary data.
    """
    text = decode(data)
    if text is None:
        raise DocumentCorrupt(f"{name!r} is not text", document=name)
    stated = _SEPARATOR_LINE.match(text)
    if stated:
        text, delimiter = text[stated.end() :], stated.group(1)
    else:
        delimiter = _best(text).delimiter
    rows = _without_blank_ends(_records(text, delimiter))
    width = max((len(row) for row in rows), default=0)
    reason = f"{len(rows)} rows and {width} columns, divided by {delimiter!r}"
    route = Route("csv", "LOW", "csv", (reason,))
    if not width:
        return Parsed((), route)
    return Parsed((rows_as_table(rows, span(0, 0, len(rows) - 1, width - 1)),), route)


def looks_delimited(text: str) -> bool:
    """Whether `text` is a table, without its name to say so; JSON lines and prose with commas are none."""
    if text.lstrip()[:1] in ("{", "[", "<"):
        return False
    best = _best(text)
    if best.columns < 2 or best.share < _MIN_SHARE or best.mean_chars > _MAX_MEAN_CHARS:
        return False
    if best.delimiter != ",":
        return best.rows >= _MIN_ROWS
    return best.columns >= 3 and best.rows >= _MIN_COMMA_ROWS


def _best(text: str) -> _Divided:
    sample = text[:_SAMPLE_CHARS]
    divided = [_divide(sample, delimiter) for delimiter in _DELIMITERS]
    # The whole point is to divide; then as evenly as can be, where a few rows more or less say nothing.
    return max(divided, key=lambda d: (d.columns > 1, round(d.share, 1), d.delimiter != ",", d.columns))


def _divide(sample: str, delimiter: str) -> _Divided:
    rows = [row for row in _records(sample, delimiter) if any(row)]
    if len(rows) > 1 and len(sample) == _SAMPLE_CHARS:
        rows.pop()  # the sample ends within it
    widths = Counter(len(row) for row in rows)
    columns, often = widths.most_common(1)[0] if widths else (0, 0)
    fields = [field for row in rows for field in row if field]
    mean = sum(map(len, fields)) / len(fields) if fields else 0.0
    return _Divided(delimiter, columns, often / len(rows) if rows else 0.0, len(rows), mean)


def _records(text: str, delimiter: str) -> list[list[str]]:
    """The rows; where quotes are out of balance, those of each line for itself.

    One stray quote would otherwise make a single field of all that follows.
    """
    try:
        return list(_reader(StringIO(text, newline=""), delimiter, strict=True))
    except csv.Error:
        lines = text.replace("\x00", "").splitlines()
        return [row for line in lines for row in _line(line, delimiter)]


def _line(line: str, delimiter: str) -> list[list[str]]:
    try:
        return list(_reader([line], delimiter, strict=False))
    except csv.Error:
        return [line.split(delimiter)]


def _reader(lines: Iterable[str], delimiter: str, *, strict: bool) -> Iterator[list[str]]:
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=strict)


def _without_blank_ends(rows: list[list[str]]) -> list[list[str]]:
    """Rows to the last filled one, each to its last filled field; those above and left of it keep place."""
    for row in rows:
        while row and not row[-1].strip():
            row.pop()
    while rows and not rows[-1]:
        rows.pop()
    return rows
