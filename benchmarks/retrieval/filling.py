"""Texts and their ids into an index of one tenant, and queries in the words of its profile."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ingestion.document import clean
from ingestion.embed import Embedder
from ingestion.index import Fields, Index, Put
from ingestion.language import Language
from ingestion.vectors import Vectors

TENANT = "acme"
FIELDS = Fields(("id",))
TIMEOUT_S = 60.0
_BATCH = 512


class Entry(NamedTuple):
    id: str
    text: str
    parent_id: str


async def fill(index: Index, embedder: Embedder, entries: Sequence[Entry]) -> None:
    for first in range(0, len(entries), _BATCH):
        batch = entries[first : first + _BATCH]
        await put(index, batch, await embedder.documents([clean(entry.text) for entry in batch]))


async def put(index: Index, entries: Sequence[Entry], vectors: Iterable[Vectors]) -> None:
    made = [
        Put(entry.id, vector, {"id": entry.id, "parent_id": entry.parent_id})
        for entry, vector in zip(entries, vectors, strict=True)
    ]
    await index.put(TENANT, made)


async def asked(embedder: Embedder, query: str, language: Language) -> Vectors:
    """Without the vectors of models that do not speak the language."""
    made, spaces = await embedder.query(clean(query)), embedder.profile.spaces
    return {name: vector for name, vector in made.items() if spaces[name].speaks(language)}
