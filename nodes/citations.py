"""Citations: which words of which document bear out an answer's sentences. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import TypedDict

from nodes.bilingual import Span
from nodes.evidence import best_span, cited
from runtime.passage import Passage


class Source(TypedDict):
    """A passage as the state and the prompt hold it."""

    document: str
    document_id: str
    text: str
    quote: str
    start: int
    page: int | None
    section: str
    language: str
    locator: str


class Citation(TypedDict):
    """One marker of an answer, and the words behind it."""

    marker: str
    """`[1]`."""
    document: str
    document_id: str
    page: int | None
    section: str
    start: int
    end: int
    """Offsets of `quote` in the document's parsed text."""
    quote: str
    locator: str


def source(passage: Passage) -> Source:
    return {
        "document": passage.document,
        "document_id": passage.document_id,
        "text": passage.text,
        "quote": passage.quote,
        "start": passage.start,
        "page": passage.page,
        "section": passage.section,
        "language": passage.language,
        "locator": passage.locator,
    }


def citations(answer: str, sources: Sequence[Source]) -> list[Citation]:
    """One for each sentence and valid marker in `answer`, in order, the same words only once."""
    found: list[Citation] = []
    for words, markers in cited(answer):
        for number in markers:
            if 1 <= number <= len(sources):
                one = cite(number, sources[number - 1], words)
                found += [one] if one not in found else []
    return found


def cite(number: int, cited_source: Source, sentence: str) -> Citation:
    """The words of the source that say most about `sentence`."""
    return point_to(number, cited_source, best_span(cited_source["text"], sentence))


def point_to(number: int, cited_source: Source, span: Span) -> Citation:
    """The citation of a span of the source's text."""
    # The text is one slice of the document, its quote included, so one known offset gives all the others.
    shift = cited_source["start"] - cited_source["text"].find(cited_source["quote"])
    return {
        "marker": f"[{number}]",
        "document": cited_source["document"],
        "document_id": cited_source["document_id"],
        "page": cited_source["page"],
        "section": cited_source["section"],
        "start": shift + span.start,
        "end": shift + span.end,
        "quote": span.text,
        "locator": cited_source["locator"],
    }
