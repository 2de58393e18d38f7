"""Long documents made of a set's short texts, and where in them each of these stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from benchmarks.retrieval.sets import Set, Text
from ingestion.document import Document, Part, assemble, clean


class Span(NamedTuple):
    """A slice of a document's text."""

    document: str
    start: int
    end: int


class Long(NamedTuple):
    id: str
    document: Document
    spans: Mapping[str, Span]
    """Of the texts that it is made of, by id."""


def joined(each: Set, count: int) -> list[Long]:
    """Documents of `count` paragraphs in the corpus's order; texts of one parent are one paragraph.

    A title stands as a heading above its text.
    """
    paragraphs: dict[str, list[Text]] = {}
    for text in each.corpus:
        paragraphs.setdefault(text.parent_id, []).append(text)
    runs = list(paragraphs.values())
    return [
        _long(f"{each.name} {first}", runs[first : first + count]) for first in range(0, len(runs), count)
    ]


def _long(id: str, paragraphs: Sequence[Sequence[Text]]) -> Long:
    parts = [part for texts in paragraphs for part in _parts(texts)]
    document = assemble(id, parts)
    spans, at = dict[str, Span](), 0
    for text in (text for texts in paragraphs for text in texts):
        words = clean(text.text)
        start = document.text.index(words, at)
        spans[text.id], at = Span(id, start, start + len(words)), start + 1
    return Long(id, document, spans)


def _parts(texts: Sequence[Text]) -> list[Part]:
    heading = [Part("heading", texts[0].title, level=2)] if texts[0].title else []
    return [*heading, Part("paragraph", "".join(text.text for text in texts))]
