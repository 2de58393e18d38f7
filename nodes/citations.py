"""Citations: which words of which document bear out an answer's sentences. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from typing_extensions import TypedDict

from nodes.bilingual import Span
from nodes.claims import Claim, claims, proofs
from nodes.evidence import bearing_out, best_span
from runtime.passage import Passage


class Source(TypedDict):
    """A passage as the state and the prompt hold it."""

    key: str
    """The same for the same parent of the same version."""
    document: str
    document_id: str
    version: str
    text: str
    shift: int
    """What to add to an offset in `text` for the one in the document's parsed text."""
    quote: str
    start: int
    page: int | None
    section: str
    language: str
    locator: str
    tokens: int


class Citation(TypedDict):
    """One marker of an answer, and the words behind it."""

    marker: str
    """`[1]`."""
    document: str
    document_id: str
    version: str
    page: int | None
    """Of a slide or a page, 1-based."""
    section: str
    """Heading path, or sheet with cell range."""
    start: int
    end: int
    """Offsets of `quote` in the document's parsed text."""
    quote: str
    locator: str


def source(passage: Passage) -> Source:
    return {
        "key": passage.parent_id or f"{passage.document_id} {passage.text}",
        "document": passage.document,
        "document_id": passage.document_id,
        "version": passage.version,
        "text": passage.text,
        # The text is one slice of the document, its quote included, so one known offset gives all the others.
        "shift": passage.start - passage.text.find(passage.quote),
        "quote": passage.quote,
        "start": passage.start,
        "page": passage.page,
        "section": passage.section,
        "language": passage.language,
        "locator": passage.locator,
        "tokens": passage.tokens,
    }


def borne_out(answer: str, sources: Sequence[Source]) -> list[tuple[Claim, Citation]]:
    """The sentences of `answer` that a passage they cite bears out, each with its citations."""
    texts = [evidence_text(one) for one in sources]
    return [
        (claim, cite(number, sources[number - 1], claim.text))
        for claim in claims(answer)
        for number in proofs(claim, texts)
    ]


def citations(answer: str, sources: Sequence[Source]) -> list[Citation]:
    """Those of `borne_out`, in order, the same words only once."""
    found: list[Citation] = []
    for _, citation in borne_out(answer, sources):
        found += [citation] if citation not in found else []
    return found


def as_annotations(answer: str, sources: Sequence[Source]) -> list[dict[str, Any]]:
    """Those of `borne_out` as LangChain's standard annotations.

    langchain_core/messages/content.py, `Citation`: `start_index` and `end_index` are of the answer's text;
    what else we know of the place is in `extras`.
    """
    return [annotation(citation, claim.start, claim.end) for claim, citation in borne_out(answer, sources)]


def annotation(citation: Citation, start: int, end: int) -> dict[str, Any]:
    """The citation as an annotation of `answer[start:end]`."""
    extras = {key: value for key, value in citation.items() if key not in ("document", "quote")}
    return {
        "type": "citation",
        "title": citation["document"],
        "start_index": start,
        "end_index": end,
        "cited_text": citation["quote"],
        "extras": extras,
    }


def evidence_text(cited_source: Source) -> str:
    """What a sentence may rest on: the passage and where it stands."""
    return f"{cited_source['document']} {cited_source['section']}\n{cited_source['text']}"


def cite(number: int, cited_source: Source, sentence: str) -> Citation:
    """The words of the source that say most about `sentence`; what the search found where none does."""
    span = bearing_out(cited_source["text"], sentence) or best_span(cited_source["text"], sentence)
    if span is None:
        at = cited_source["start"] - cited_source["shift"]
        span = Span(cited_source["quote"], at, at + len(cited_source["quote"]))
    return point_to(number, cited_source, span)


def point_to(number: int, cited_source: Source, span: Span) -> Citation:
    """The citation of a span of the source's text."""
    return {
        "marker": f"[{number}]",
        "document": cited_source["document"],
        "document_id": cited_source["document_id"],
        "version": cited_source["version"],
        "page": cited_source["page"],
        "section": cited_source["section"],
        "start": cited_source["shift"] + span.start,
        "end": cited_source["shift"] + span.end,
        "quote": span.text,
        "locator": cited_source["locator"],
    }
