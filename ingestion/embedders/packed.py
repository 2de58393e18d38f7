"""Vectors as bytes that show whether they were damaged."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from io import BytesIO
from typing import Any

import numpy as np

from ingestion.vectors import Floats, Sparse, Vector, Vectors

_SUM_BYTES = 16
_INDICES, _VALUES = ".indices", ".values"


def pack(vectors: Vectors) -> bytes:
    """A checksum, then NumPy's npz: dense and multi vectors in float32, of a sparse one two arrays."""
    arrays: dict[str, Any] = {}
    for name, vector in vectors.items():
        if isinstance(vector, Sparse):
            arrays[name + _INDICES] = np.asarray(vector.indices, np.int64)
            arrays[name + _VALUES] = np.asarray(vector.values, np.float64)
        else:
            arrays[name] = vector
    file = BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return _sum(file.getvalue()) + file.getvalue()


def unpack(data: bytes) -> Vectors:
    """Raises ValueError for what `pack` did not make."""
    if data[:_SUM_BYTES] != _sum(data[_SUM_BYTES:]):
        raise ValueError("these bytes are no vectors, or were damaged")
    with np.load(BytesIO(data[_SUM_BYTES:]), allow_pickle=False) as arrays:
        return {
            key.removesuffix(_INDICES): _vector(arrays, key) for key in arrays if not key.endswith(_VALUES)
        }


def _vector(arrays: Mapping[str, Any], key: str) -> Vector:
    name = key.removesuffix(_INDICES)
    if name != key:
        return Sparse(arrays[key].tolist(), arrays[name + _VALUES].tolist())
    floats: Floats = arrays[key]
    return floats


def _sum(data: bytes) -> bytes:
    return blake2b(data, digest_size=_SUM_BYTES).digest()
