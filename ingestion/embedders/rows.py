"""Rows of floats as a model answers them, made ours: checked, float32, of norm 1."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ingestion.vectors import Floats
from runtime.errors import KnowledgeUnavailable, ProfileMismatch


def unit_rows(answered: npt.ArrayLike, count: int | None, size: int, place: str) -> Floats:
    """Shape (rows, size), float32, each row of norm 1. `count`: how many rows there must be, None for any.

    Raises ProfileMismatch for rows of another size, KnowledgeUnavailable for another number of rows and for
    rows that are no numbers, not finite or all zeros; both name `place`, which answered.
    """
    try:
        rows = np.asarray(answered, dtype=np.float64)
    except (TypeError, ValueError) as exc:
        raise KnowledgeUnavailable(f"{place} answered rows that are no numbers, or of several sizes") from exc
    if rows.ndim != 2 or (count is not None and len(rows) != count):
        raise KnowledgeUnavailable(f"{place} answered the shape {rows.shape} where {count} rows were due")
    if rows.shape[1] != size:
        raise ProfileMismatch(
            f"{place} answered rows of {rows.shape[1]} floats, and its profile says {size}",
            size=rows.shape[1],
        )
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    if not (np.isfinite(norms).all() and norms.all()):
        raise KnowledgeUnavailable(f"{place} answered a row that is not finite, or all zeros")
    units: Floats = (rows / norms).astype(np.float32)
    return units
