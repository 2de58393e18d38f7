"""What `cornerman ingest` takes out of the knowledge: documents that are no longer where they came from."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from ingestion.knowledge import Knowledge
from ingestion.record import document_id_of
from ingestion.remote import RemoteKnowledge
from ingestion.report import StoredDocument
from ingestion.sources.place import scheme_of
from ingestion.sources.source import Source, local_path
from runtime.errors import DocumentMissing
from terminal.ingest_runs import Outcome, root_of


async def without_missing(
    knowledge: Knowledge | RemoteKnowledge,
    tenant: str,
    sources: Sequence[Source],
    outcomes: Sequence[Outcome],
) -> list[Outcome]:
    """The outcomes, `removed` where a document named itself is gone, then those that have left a folder."""
    stored = {document.document_id: document for document in await knowledge.documents(tenant)}
    told = [_named_and_gone(outcome, stored) for outcome in outcomes]
    ids = {document_id_of(outcome.place) for outcome in told if outcome.place}
    roots = {root_of(source).rstrip("/") for source in sources}
    left = [
        Outcome(document.document, "removed", document.source, reason="it is no longer there")
        for document in stored.values()
        if document.document_id not in ids and _has_left(document, roots)
    ]
    for outcome in (*told, *left):
        if outcome.status == "removed":
            await knowledge.remove(tenant, document_id_of(outcome.place))
    return [*told, *left]


def _named_and_gone(outcome: Outcome, stored: dict[str, StoredDocument]) -> Outcome:
    """Only its place's own word counts, `DOCUMENT_MISSING`: one that does not answer may have it still."""
    known = stored.get(document_id_of(outcome.place))
    if known is None or (outcome.status, outcome.code) != ("refused", DocumentMissing.code):
        return outcome
    path = local_path(outcome.place)
    if path is not None and os.path.lexists(path):
        # A worker elsewhere does not see it, or it came back meanwhile.
        return outcome
    return replace(outcome, document=known.document, status="removed", code="")


def _has_left(document: StoredDocument, roots: set[str]) -> bool:
    """Whether it came with one of these folders, globs or URLs, or was named itself in it, and is gone."""
    place, path = document.root.rstrip("/"), local_path(document.source)
    if not place:
        return False
    if path is None:
        # A URL that begins like another is no folder of it; a store's listing says what is in the folder.
        return place in roots and scheme_of(document.source) not in ("http", "https")
    # What was named itself may be where the folder's name leads nobody: hidden, or behind a link.
    within = any(place == root or place.startswith(f"{root}/") for root in roots)
    return within and not os.path.lexists(path)
