"""Semantic: a chunk ends where the embedder sees the subject change."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ingestion.chunk import Draft, flat, pack
from ingestion.ruler import Piece, Ruler
from ingestion.split import sentences
from runtime.errors import InvalidInput

Vector = Sequence[float] | Mapping[int, float]
Embed = Callable[[Sequence[str]], Sequence[Vector]]
"""One vector for each text: dense, or sparse as index → weight. Called with at most 64 texts."""

_BATCH = 64


class Parameters(BaseModel):
    """Where subjects change, and how large a chunk may be."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    tokens: int = Field(default=256, ge=16, le=8_192, description="Most tokens of a chunk")
    min_tokens: int = Field(default=32, ge=0, le=8_192, description="Fewer than these never end a chunk")
    percentile: int = Field(
        default=90, ge=50, le=99, description="A chunk ends at distances above this percentile of all"
    )
    window: int = Field(
        default=1, ge=0, le=5, description="Sentences on either side that are embedded with each"
    )

    @model_validator(mode="after")
    def _minimum_fits(self) -> Self:
        if self.min_tokens > self.tokens:
            raise ValueError(
                f"min_tokens is {self.min_tokens} and tokens {self.tokens}; needed is min_tokens <= tokens"
            )
        return self


def cut(ruler: Ruler, parameters: Parameters, embed: Embed) -> Iterator[Draft]:
    """Chunks of whole sentences, rows and items; one that is above the limit is cut like prose."""
    limit = parameters.tokens
    found = [piece for block in ruler.document.blocks for piece in sentences(ruler, block, limit)]
    distances = list(_distances(ruler, found, parameters.window, embed))
    threshold = percentile(distances, parameters.percentile)
    ends = {piece.end for piece, distance in zip(found, distances, strict=False) if distance > threshold}

    def joins(run: Sequence[Piece], _: Piece) -> bool:
        return run[-1].end not in ends or sum(piece.tokens for piece in run) < parameters.min_tokens

    return flat(run.whole for run in pack(ruler, found, limit, joins))


def percentile(values: Sequence[float], percent: float) -> float:
    """Between the two nearest values, by proportion; 0 for none. `percent` in [0, 100]."""
    if not values:
        return 0.0
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    below, above = ordered[math.floor(place)], ordered[math.ceil(place)]
    return below + (above - below) * (place - math.floor(place))


def distance(a: Vector, b: Vector) -> float:
    """1 − cosine: 0 for the same direction, 1 for nothing in common or an empty vector."""
    norms = math.sqrt(_dot(a, a) * _dot(b, b))
    return 1 - _dot(a, b) / norms if norms else 1.0


def _dot(a: Vector, b: Vector) -> float:
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return sum(weight * b.get(index, 0.0) for index, weight in a.items())
    if isinstance(a, Mapping) or isinstance(b, Mapping):
        raise InvalidInput("the embedder gave a sparse vector for one text and a dense one for another")
    return sum(x * y for x, y in zip(a, b, strict=True))


def _distances(ruler: Ruler, found: Sequence[Piece], window: int, embed: Embed) -> Iterator[float]:
    """From each sentence to the next."""
    return (distance(a, b) for a, b in pairwise(_vectors(ruler, found, window, embed)))


def _vectors(ruler: Ruler, found: Sequence[Piece], window: int, embed: Embed) -> Iterator[Vector]:
    """Batch after batch, so that a large document's vectors are never all in memory."""
    for first in range(0, len(found), _BATCH):
        last = min(first + _BATCH, len(found))
        around = [found[max(i - window, 0) : i + window + 1] for i in range(first, last)]
        texts = [ruler.text[some[0].start : some[-1].end] for some in around]
        vectors = embed(texts)
        if len(vectors) != len(texts):
            raise InvalidInput(f"the embedder gave {len(vectors)} vectors for {len(texts)} texts")
        yield from vectors
