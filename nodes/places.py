"""The places of a passage that may hold an answer: sentences, table rows and runs of short lines. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from nodes.bilingual import Span, sentences, terms, words

_RULE: Final = re.compile(r"^[\s|:+=-]+$")
_LETTER: Final = re.compile(r"[^\W\d_]")
_HEADING_WORDS: Final = 12
_RUN_CHARS: Final = 240
"""Short lines that follow each other, as on a slide or in a letterhead, are read together up to this."""

Kind = Literal["sentence", "row", "lines", "heading"]


class Place(NamedTuple):
    """A span of a passage, and what it is about beside its own words."""

    span: Span
    heading: str
    header: str = ""
    """Column names, for a table row."""
    kind: Kind = "sentence"


class _Line(NamedTuple):
    span: Span
    kind: Kind


def places(text: str) -> list[Place]:
    """The places of `text` in their order; the header row of a table only as what its rows are about.

    A heading is a place too, for a figure may stand in it; one that is followed by more short lines is read
    together with them.
    """
    found: list[Place] = []
    heading = header = ""
    run: list[Span] = []
    for line in _lines(text):
        if line.kind == "heading":
            run = _joined(text, run, line.span)
            found = _with_run(found, text, run, heading)
            heading, header = line.span.text.lstrip("# "), ""
            continue
        run = []
        if line.kind == "row":
            if header:
                found.append(Place(line.span, heading, header, "row"))
            header = header or line.span.text
            continue
        header = ""
        found += [Place(span, heading) for span in _sentences(line.span) if _LETTER.search(span.text)]
    return found or [Place(Span(row, 0, len(row)), heading, "", "row") for row in [header] if row]


def readable(text: str, span: Span, question: str) -> str:
    """The span as a sentence; a table row with its column names, cut to the columns the question names."""
    if not is_row(span.text):
        return " ".join(span.text.replace("**", "").lstrip("#->*• ").split())
    names, values = cells(header_before(text, span.start)), cells(span.text)
    pairs = [(n, v) for n, v in zip(names[1:], values[1:], strict=False) if v]
    # Only a matrix, whose first column has no name, has columns of one kind to choose from.
    asked = [(n, v) for n, v in pairs if not names[0] and terms(n) & terms(question)]
    if len(pairs) == 1:
        return _stopped(f"{values[0]}: {pairs[0][1]}")
    said = "; ".join(f"{name}: {value}" if name else value for name, value in asked or pairs)
    return _stopped(f"{values[0]} – {said}" if values[0] else said)


def is_row(line: str) -> bool:
    return line.count("|") >= 2 or "\t" in line


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"\||\t", row.strip().strip("|"))]


def header_before(text: str, end: int) -> str:
    """The header row of the table that holds the row at `end`."""
    header = ""
    for line in text[:end].splitlines():
        if not is_row(line.strip()):
            header = ""
        elif not header and not _RULE.match(line.strip()):
            header = line
    return header


def _lines(text: str) -> Iterator[_Line]:
    offset = 0
    for line in text.splitlines(keepends=True):
        bare = line.strip()
        start = offset + (len(line) - len(line.lstrip()))
        offset += len(line)
        if bare and not _RULE.match(bare):
            yield _Line(Span(bare, start, start + len(bare)), _kind(bare))


def _kind(line: str) -> Kind:
    if is_row(line):
        return "row"
    return "heading" if _is_heading(line) else "sentence"


def _is_heading(line: str) -> bool:
    """Parsers leave a heading as a short line without a stop."""
    return line.startswith("#") or (
        len(words(line)) <= _HEADING_WORDS
        and line[-1] not in ".!?。！？；;:：,，"
        and not line.startswith(("-", "*", "•"))
    )


def _sentences(line: Span) -> list[Span]:
    return [Span(s.text, line.start + s.start, line.start + s.end) for s in sentences(line.text)]


def _joined(text: str, run: list[Span], span: Span) -> list[Span]:
    """The run with the line, or a run of its own where it would grow too long."""
    longer = [*run, span]
    return longer if span.end - longer[0].start <= _RUN_CHARS else [span]


def _with_run(found: list[Place], text: str, run: list[Span], heading: str) -> list[Place]:
    first, last = run[0], run[-1]
    whole = Span(text[first.start : last.end], first.start, last.end)
    if len(run) == 1:
        return [*found, Place(whole, heading, kind="heading")]
    return [*found[:-1], Place(whole, found[-1].heading, kind="lines")]


def _stopped(text: str) -> str:
    return text if text.endswith((".", "!", "?", "。", "！", "？", '."', '?"')) else f"{text}."
