"""Other documents of a document's name: those beside it, and the one that it was before it moved."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ingestion.report import StoredDocument
from ingestion.sources.locate import Rules, locate
from ingestion.sources.source import local_path
from runtime.errors import DocumentError, DocumentMissing

_SHOWN = 10


class Namesakes(NamedTuple):
    """Places."""

    moved_from: str
    """Where this very document was before, or ""."""
    others: list[str]
    """Of other documents of its name, ten at most."""


async def namesakes(
    named: Iterable[StoredDocument], document_id: str, moved_digest: str, rules: Rules
) -> Namesakes:
    """`named`: what the tenant has of this name. `moved_digest`: of the bytes of a document that is new here.

    It has moved from a file of the same bytes that is gone, as far as `rules` let one look.
    """
    others = [other for other in named if other.document_id != document_id]
    alike = (other.source for other in others if other.digest == moved_digest)
    moved_from = ""
    for place in alike:
        if not moved_from and await _is_gone(place, rules):
            moved_from = place
    places = [other.source for other in others if other.source != moved_from]
    return Namesakes(moved_from, places[:_SHOWN])


async def _is_gone(place: str, rules: Rules) -> bool:
    if local_path(place) is None:
        return False
    try:
        await locate([place], rules)
    except DocumentMissing:
        return True
    except DocumentError:
        return False
    return False
