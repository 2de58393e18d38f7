"""Points as JSON rows, in files and between processes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ingestion.embedders import wire
from ingestion.embedders.batches import batches as batched
from ingestion.index import Put
from ingestion.vectors import Sparse

Row = list[Any]
"""Id, vectors as `wire` has them, payload."""

_BATCH = 256
_BATCH_FLOATS = 1_000_000
"""5.6 MB in base64: ColBERT's rows of one child of 128 tokens are 131,072."""


def as_row(put: Put) -> Row:
    return [put.id, wire.as_row(put.vectors), put.payload]


def as_put(row: Sequence[Any]) -> Put:
    id, vectors, payload = row
    return Put(id, wire.as_vectors(vectors), payload)


def batches(points: Iterable[Put]) -> Iterator[list[Put]]:
    """As many as are to be written at once."""
    return batched(points, _BATCH, _BATCH_FLOATS, _floats)


def _floats(put: Put) -> int:
    return sum(
        len(vector.values) if isinstance(vector, Sparse) else vector.size for vector in put.vectors.values()
    )
