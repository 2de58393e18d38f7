"""Sentences: as many whole ones as fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pydantic import BaseModel, ConfigDict, Field

from ingestion.chunk import Draft, flat, pack
from ingestion.ruler import Piece, Ruler
from ingestion.split import overlapped, sentences


class Parameters(BaseModel):
    """Size and overlap."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    tokens: int = Field(default=256, ge=16, le=8_192, description="Most tokens of a chunk")
    overlap: int = Field(
        default=0, ge=0, le=50, description="Percent of `tokens` that a chunk repeats of the one before"
    )


def cut(ruler: Ruler, parameters: Parameters) -> Iterator[Draft]:
    """Chunks of whole sentences, rows and items; one that is above the limit is cut like prose."""
    return flat(packed(ruler, _sentences, parameters.tokens, parameters.overlap))


def packed(
    ruler: Ruler, find: Callable[[Ruler, int], Sequence[Piece]], limit: int, percent: int
) -> Iterator[Piece]:
    """The pieces that `find(ruler, limit)` yields, joined up to `limit` less the overlap, and overlapping."""
    overlap = limit * percent // 100
    floor: int | None = None
    for run in pack(ruler, find(ruler, limit - overlap), limit - overlap, lambda *_: True):
        body = run.whole
        yield body if floor is None or not overlap else overlapped(ruler, body, floor, overlap, limit)
        # Less than all of it, or the chunk before would be a part of this one.
        floor = body.start + 1


def _sentences(ruler: Ruler, limit: int) -> Sequence[Piece]:
    return [piece for block in ruler.document.blocks for piece in sentences(ruler, block, limit)]
