"""What ingestion tells its caller: progress, outcomes, and what is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Stage = Literal["parse", "chunk", "embed", "index"]


@dataclass(frozen=True)
class Progress:
    """How far the ingestion of one document is."""

    document: str
    stage: Stage
    done: int
    total: int
    """Chunks for `embed`, 1 for the stages that are one step."""


@dataclass(frozen=True)
class Ingested:
    """What became of one file."""

    document: str
    status: Literal["ingested", "unchanged", "refused"]
    pages: int | None = None
    chunks: int = 0
    """Children in the index; 0 when refused."""
    tokens: int = 0
    code: str = ""
    """The error's code when refused, `DOCUMENT_ENCRYPTED`."""
    reason: str = ""
    notes: tuple[str, ...] = ()
    """What the parser has to say about a file that it did read, `repaired: …`."""


@dataclass(frozen=True)
class StoredDocument:
    """A document in the index."""

    document: str
    document_id: str
    pages: int | None
    chunks: int
    tokens: int
    languages: Mapping[str, int]
    """Chunks by language."""


@dataclass(frozen=True)
class Stats:
    """A tenant's knowledge in figures."""

    documents: int = 0
    chunks: int = 0
    tokens: int = 0
    languages: Mapping[str, int] = field(default_factory=dict)
    """Chunks by language."""
