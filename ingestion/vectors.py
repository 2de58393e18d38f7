"""Vectors of a text, by name, and the profile that says which there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from runtime.errors import ProfileMismatch

Floats: TypeAlias = npt.NDArray[np.float32]


class Sparse(NamedTuple):
    """A vector of few weights: each index once, no weight 0. Empty where a text has no word."""

    indices: Sequence[int]
    values: Sequence[float]


Vector: TypeAlias = Sparse | Floats
"""Sparse, dense of shape (size,), or multi of shape (tokens, size); dense rows have norm 1."""
Vectors: TypeAlias = Mapping[str, Vector]


@dataclass(frozen=True)
class Space:
    """What vectors of one name are."""

    kind: Literal["sparse", "dense", "multi"]
    size: int = 0
    """Floats of a dense vector, or of each row of a multi one; 0 for sparse."""
    idf: bool = False
    """Whether the engine weighs the words of a sparse vector by how rare they are."""
    languages: tuple[str, ...] = ()
    """Those it speaks, `en`; () for all."""

    def speaks(self, language: str) -> bool:
        """Whether texts of the language may be compared by it; of an unknown one, `und`, always."""
        return not self.languages or language == "und" or language in self.languages


@dataclass(frozen=True)
class Profile:
    """What a collection holds for each text; vectors of another have no meaning in it."""

    name: str
    """Of the embedder, its model and its way: `bge-m3`."""
    spaces: Mapping[str, Space] = field(default_factory=dict)

    @property
    def searched(self) -> list[str]:
        """Names of the vectors that find; a multi one only ranks anew what they found."""
        return [name for name, space in self.spaces.items() if space.kind != "multi"]

    @property
    def rerank(self) -> str:
        """Name of the multi vector, "" without one."""
        return next((name for name, space in self.spaces.items() if space.kind == "multi"), "")

    def check(self, vectors: Vectors) -> None:
        """Raises ProfileMismatch for names, kinds and sizes that are not the profile's, and for NaN."""
        if set(vectors) != set(self.spaces):
            raise ProfileMismatch(
                f"the collection holds {sorted(self.spaces)} of the profile {self.name!r},"
                f" and these are vectors {sorted(vectors)}"
            )
        for name, vector in vectors.items():
            if fault := _fault(self.spaces[name], vector):
                raise ProfileMismatch(f"{name!r} of the profile {self.name!r} is to be {fault}")


def _fault(space: Space, vector: Vector) -> str:
    """What the vector should be and is not; "" where it is."""
    if isinstance(vector, Sparse):
        if space.kind != "sparse":
            return f"{space.kind}, and this one is sparse"
        if len(vector.indices) != len(vector.values) or len(set(vector.indices)) != len(vector.indices):
            return "a weight for each index, each index once"
        return "" if np.isfinite(vector.values).all() else "finite"
    shape = {"dense": (space.size,), "multi": (len(vector), space.size)}.get(space.kind)
    if vector.shape != shape:
        return f"{space.kind} of {space.size}, and this one is of the shape {vector.shape}"
    return "" if np.isfinite(vector).all() else "finite"
