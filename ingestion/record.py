"""What the index stores of a child, and how a stored child becomes a passage again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ingestion.chunk import Chunk, Family, digest
from ingestion.document import Document
from ingestion.index import Hit
from ingestion.report import StoredDocument
from runtime.passage import Passage

STORED = ["document", "document_id", "content", "pages", "chunks", "tokens", "languages"]
"""Payload keys of a document's first point: the document's own figures stand there."""


class Record(NamedTuple):
    """A point before it has its vector."""

    id: str
    text: str
    """What is embedded: section, table header and text, since a row says little without them."""
    payload: dict[str, Any]


def document_id_of(name: str) -> str:
    """The same name gives the same id, so that a new version's unchanged chunks keep theirs."""
    return digest("document", name)


def records(document: Document, families: Sequence[Family], content: str) -> list[Record]:
    """One for each child, in the document's order; `content` is the hash of the file and of its recipe."""
    document_id = document_id_of(document.name)
    pairs = [(family.parent, child) for family in families for child in family.children]
    shared = {"document": document.name, "document_id": document_id, "content": content}
    made = [
        Record(child.id, _searchable(child), {**shared, **_payload(parent, child), "ordinal": i})
        for i, (parent, child) in enumerate(pairs)
    ]
    if made:
        made[0].payload.update(_figures(document, families))
    return made


def passage(hit: Hit) -> Passage:
    """The parent with the child that was found in it as its quote."""
    p = hit.payload
    return Passage(
        document=p["document"],
        document_id=p["document_id"],
        text=p["parent_text"],
        quote=p["text"],
        start=p["start"],
        end=p["end"],
        score=hit.score,
        page=p["page"],
        section=p["section"],
        language=p["language"],
    )


def stored(payload: dict[str, Any]) -> StoredDocument:
    """The document whose first point holds `payload`."""
    return StoredDocument(**{key: payload[key] for key in STORED if key != "content"})


def _searchable(child: Chunk) -> str:
    return "\n".join(text for text in (child.section, child.prefix, child.text) if text)


def _payload(parent: Chunk, child: Chunk) -> dict[str, Any]:
    return {
        "chunk_id": child.id,
        "parent_id": parent.id,
        "text": child.text,
        "parent_text": parent.full_text,
        "start": child.start,
        "end": child.end,
        "page": child.page,
        "section": child.section,
        "language": child.language,
        "kind": child.kind,
    }


def _figures(document: Document, families: Sequence[Family]) -> dict[str, Any]:
    children = list(_children(families))
    return {
        "pages": document.pages,
        "chunks": len(children),
        "tokens": sum(family.parent.tokens for family in families),
        "languages": dict(Counter(child.language for child in children)),
    }


def _children(families: Sequence[Family]) -> Iterator[Chunk]:
    return (child for family in families for child in family.children)
