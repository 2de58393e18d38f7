"""Recursive: blocks together while they fit; a larger one by lines, sentences, clauses, words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import BaseModel, ConfigDict, Field

from ingestion.chunk import Draft, flat
from ingestion.ruler import Piece, Ruler
from ingestion.split import BY_LINE, split
from ingestion.strategies.sentence import packed


class Parameters(BaseModel):
    """Size and overlap."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    tokens: int = Field(default=256, ge=16, le=8_192, description="Most tokens of a chunk")
    overlap: int = Field(
        default=0, ge=0, le=50, description="Percent of `tokens` that a chunk repeats of the one before"
    )


def cut(ruler: Ruler, parameters: Parameters) -> Iterator[Draft]:
    """Chunks of as many whole blocks as fit; rows and items stay whole where they can."""
    return flat(packed(ruler, _pieces, parameters.tokens, parameters.overlap))


def _pieces(ruler: Ruler, limit: int) -> Sequence[Piece]:
    return [
        piece
        for block in ruler.document.blocks
        for piece in split(ruler, block.start, block.end, limit, by_line=block.kind in BY_LINE)
    ]
