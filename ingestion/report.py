"""What ingestion tells its caller: progress, outcomes, and what is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Stage = Literal["route", "parse", "chunk", "embed", "upsert", "verify"]
STAGES: tuple[Stage, ...] = ("route", "parse", "chunk", "embed", "upsert", "verify")

Report = Callable[[int, int], None]
"""Takes what is done and what there is to do: pages for `parse`, chunks for `embed` and `upsert`."""


@dataclass(frozen=True)
class StoredDocument:
    """A version of a document in the index."""

    document: str
    """Its name, for people; others may have the same."""
    document_id: str
    """Of the place it comes from, `ingestion.record.document_id_of`."""
    version: str
    pages: int | None
    chunks: int
    tokens: int
    languages: Mapping[str, int]
    """Chunks by language."""
    source: str = ""
    """The URI of that place, which reps and other tenants are never told."""
    digest: str = ""
    """Of its bytes."""
    ingested_at: str = ""
    """When its run began: UTC, ISO 8601."""
    root: str = ""
    """The path, folder, glob or URL by which it was named; "" where a client of the network named it."""
    route: Mapping[str, Any] = field(default_factory=dict)
    """How it was read, and why; `ingestion.parsed.Route`."""
    notes: tuple[str, ...] = ()
    """What the parser has to say about it, `repaired: …`."""
    hidden: int = 0
    """Pieces of text that no reader sees, and that were kept out."""
    tags: tuple[str, ...] = ()
    date: str = ""
    """Its day, `2026-05-31`: as it was given, or when its source was last changed."""


@dataclass(frozen=True)
class Labels:
    """What a document is called and found by, which is not of its text; None: as it is."""

    name: str | None = None
    tags: tuple[str, ...] | None = None
    date: str | None = None

    def as_payload(self) -> dict[str, Any]:
        """Of those that are given."""
        given = {
            "document": self.name,
            "tags": None if self.tags is None else list(self.tags),
            "date": self.date,
        }
        return {key: value for key, value in given.items() if value is not None}


@dataclass(frozen=True)
class Stats:
    """A tenant's knowledge in figures."""

    documents: int = 0
    chunks: int = 0
    tokens: int = 0
    languages: Mapping[str, int] = field(default_factory=dict)
    """Chunks by language."""
    collection: str = ""
    """The current one, `bm25-1f0c9a3e`."""
    collections: tuple[str, ...] = ()
    """All that there are; the others are kept until they are dropped."""
    vectors: tuple[str, ...] = ()
    """Those of each chunk, by name and kind: `dense 1024`."""
