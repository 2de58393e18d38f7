"""Points as JSON rows, in files and between processes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qdrant_edge import SparseVector

from ingestion.index import Put

Row = list[Any]
"""Id, indices and values of the sparse vector, payload."""


def as_row(put: Put) -> Row:
    return [put.id, list(put.vector.indices), list(put.vector.values), put.payload]


def as_put(row: Sequence[Any]) -> Put:
    id, indices, values, payload = row
    return Put(id, SparseVector(indices, values), payload)
