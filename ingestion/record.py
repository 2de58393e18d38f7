"""What the index stores of a child, and how a stored child becomes a passage again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, NamedTuple

from ingestion.chunk import Chunk, Family, digest
from ingestion.document import Document
from ingestion.index import Fields, Hit
from ingestion.report import StoredDocument
from runtime.passage import Passage

DOCUMENTS = Fields(
    keywords=("document", "document_id", "version", "superseded", "kind", "language", "tags"),
    integers=("ordinal",),
    days=("date",),
)
"""What children are found by, beside their vectors."""
STORED = [field.name for field in fields(StoredDocument)]
"""Payload keys of a version's first point: the document's own figures stand there."""
_LISTS = ("notes", "tags")


class Record(NamedTuple):
    """A point before it has its vector."""

    id: str
    text: str
    """What is embedded."""
    payload: dict[str, Any]


def document_id_of(source: str) -> str:
    """Of the place that a document comes from, as `Source.uri` has it.

    The same place gives the same id, so that a new version's unchanged chunks keep theirs.
    """
    return digest("document", source)


def records(
    document: Document,
    families: Sequence[Family],
    document_id: str,
    version: str,
    labels: Mapping[str, Any],
    more: Mapping[str, Any],
) -> list[Record]:
    """One for each child, in the document's order.

    `labels` are what a search of it may be narrowed by, `tags` and `date`; `more` are the figures of
    `StoredDocument` beside ours.
    """
    shared = {"document": document.name, "document_id": document_id, "version": version, **labels}
    children = [_payload(family.parent, child) for family in families for child in family.children]
    made = [
        Record(point_name(version, child["chunk_id"]), searchable(child), {**shared, **child, "ordinal": i})
        for i, child in enumerate(children)
    ]
    if made:
        made[0].payload.update(_figures(document, families), **more)
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
        parent_id=p["parent_id"],
        version=p["version"],
        tokens=p["parent_tokens"],
    )


def stored(payload: Mapping[str, Any]) -> StoredDocument:
    """The version whose first point holds `payload`."""
    given: dict[str, Any] = {key: payload[key] for key in STORED if key in payload}
    given |= {key: tuple(given.get(key) or ()) for key in _LISTS}
    return StoredDocument(**given)


def point_name(version: str, chunk_id: str) -> str:
    """Of a child's point; of its version, so that writing one never touches what is read meanwhile."""
    return digest(version, chunk_id)


def searchable(payload: Mapping[str, Any]) -> str:
    """What is embedded of a child: section, table header and text, since a row says little without them."""
    return "\n".join(text for key in ("section", "prefix", "text") if (text := payload[key]))


def _payload(parent: Chunk, child: Chunk) -> dict[str, Any]:
    return {
        "chunk_id": child.id,
        "parent_id": parent.id,
        "text": child.text,
        "prefix": child.prefix,
        "parent_text": parent.full_text,
        "parent_tokens": parent.tokens,
        "start": child.start,
        "end": child.end,
        "page": child.page,
        "page_end": child.page_end,
        "section": child.section,
        "chunk_tokens": child.tokens,
        "language": child.language,
        "kind": child.kind,
    }


def _figures(document: Document, families: Sequence[Family]) -> dict[str, Any]:
    languages = Counter(child.language for family in families for child in family.children)
    return {
        "pages": document.pages,
        "chunks": languages.total(),
        "tokens": sum(family.parent.tokens for family in families),
        "languages": dict(languages),
        "notes": list(document.notes),
        "hidden": len(document.hidden),
    }
