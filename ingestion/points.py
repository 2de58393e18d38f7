"""Points as JSON rows, in files and between processes."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from ingestion.index import Put
from ingestion.vectors import Sparse, Vector

Row = list[Any]
"""Id, vectors by name, payload. A sparse vector is its indices and values, another its bytes and shape."""

_BATCH = 256
_BATCH_FLOATS = 1_000_000
"""5.6 MB in base64: ColBERT's rows of one child of 128 tokens are 131,072."""


def as_row(put: Put) -> Row:
    return [put.id, {name: _as_json(vector) for name, vector in put.vectors.items()}, put.payload]


def as_put(row: Sequence[Any]) -> Put:
    id, vectors, payload = row
    return Put(id, {name: _as_vector(value) for name, value in vectors.items()}, payload)


def batches(points: Iterable[Put]) -> Iterator[list[Put]]:
    """As many as are to be written at once; a point that is larger is one alone."""
    batch: list[Put] = []
    size = 0
    for put in points:
        if batch and (len(batch) == _BATCH or size + _floats(put) > _BATCH_FLOATS):
            yield batch
            batch, size = [], 0
        batch.append(put)
        size += _floats(put)
    if batch:
        yield batch


def _floats(put: Put) -> int:
    return sum(
        len(vector.values) if isinstance(vector, Sparse) else vector.size for vector in put.vectors.values()
    )


def _as_json(vector: Vector) -> list[Any]:
    if isinstance(vector, Sparse):
        return [list(vector.indices), list(vector.values)]
    # As numbers, JSON would be four times as long.
    return [b64encode(vector.astype("<f4").tobytes()).decode(), list(vector.shape)]


def _as_vector(value: Sequence[Any]) -> Vector:
    first, second = value
    if isinstance(first, str):
        return np.frombuffer(b64decode(first), "<f4").reshape(second).astype(np.float32)
    return Sparse(first, second)
