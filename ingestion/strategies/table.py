"""Tables: by whole rows under a repeated header; the text between them by sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import BaseModel, ConfigDict, Field

from ingestion.chunk import Draft, flat, pack
from ingestion.document import Block
from ingestion.rows import pieces
from ingestion.ruler import Piece, Ruler
from ingestion.split import sentences

_ROW = 4
"""A single row may take this many times the limit, header included, before it is cut."""


class Parameters(BaseModel):
    """Size."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    tokens: int = Field(
        default=256,
        ge=16,
        le=8_192,
        description="Most tokens of a chunk; a single row under its header may hold four times as many",
    )


def cut(ruler: Ruler, parameters: Parameters) -> Iterator[Draft]:
    """Chunks of one table, under its heading, or of the text between two tables."""
    limit = parameters.tokens
    units = [unit for block in ruler.document.blocks for unit in _units(ruler, block, limit)]

    def joins(run: Sequence[Piece], after: Piece) -> bool:
        last, kind = ruler.block(run[-1]).kind, ruler.block(after).kind
        return "table" not in (last, kind) or (kind == "table" and _only_headings(ruler, run))

    return flat(run.whole for run in pack(ruler, units, limit, joins))


def _units(ruler: Ruler, block: Block, limit: int) -> list[Piece]:
    if block.kind == "table":
        return pieces(ruler, block, block.start, block.end, limit, limit * _ROW)
    return list(sentences(ruler, block, limit))


def _only_headings(ruler: Ruler, run: Sequence[Piece]) -> bool:
    return all(ruler.block(piece).kind == "heading" for piece in run)
