"""Vectors as JSON, in files and between processes, and back without a loss."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from ingestion.vectors import Sparse, Vector, Vectors

Row: TypeAlias = dict[str, list[Any]]
"""By a vector's name, two members: `[indices, values]` of a sparse one, `[shape, floats]` of another, whose
floats are base64 of little-endian float32."""


def as_row(vectors: Vectors) -> Row:
    return {name: _members(vector) for name, vector in vectors.items()}


def as_vectors(row: Mapping[str, Any]) -> Vectors:
    """Raises ValueError for what `as_row` did not make."""
    try:
        return {name: _vector(first, second) for name, (first, second) in row.items()}
    except (AttributeError, TypeError) as exc:
        raise ValueError("this row holds no vectors") from exc


def _members(vector: Vector) -> list[Any]:
    if isinstance(vector, Sparse):
        return [list(vector.indices), list(vector.values)]
    return [list(vector.shape), b64encode(vector.astype("<f4").tobytes()).decode("ascii")]


def _vector(first: Any, second: Any) -> Vector:
    if not isinstance(second, str):
        return Sparse(list(first), list(second))
    floats = np.frombuffer(b64decode(second, validate=True), dtype="<f4")
    if min(first) < 0:
        raise ValueError(f"the shape {first!r} is none")  # NumPy reads it as "whatever fits".
    return floats.reshape(first).astype(np.float32)
