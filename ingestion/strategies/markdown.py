"""Headings: a chunk stays within its section, as headings of any format give it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import BaseModel, ConfigDict, Field

from ingestion.chunk import Draft, flat, pack
from ingestion.rows import pieces
from ingestion.ruler import Piece, Ruler


class Parameters(BaseModel):
    """Size, and which headings part."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    tokens: int = Field(default=512, ge=16, le=8_192, description="Most tokens of a chunk")
    level: int = Field(default=3, ge=1, le=6, description="No chunk crosses a heading of this level or above")


def cut(ruler: Ruler, parameters: Parameters) -> Iterator[Draft]:
    """Sections, and parts of long ones; a chunk's heading path is its `section`.

    A cut table repeats its header. A heading stands with what follows it, and alone only if nothing does or
    if both are larger than a chunk.
    """
    limit = parameters.tokens
    units = [unit for b in ruler.document.blocks for unit in pieces(ruler, b, b.start, b.end, limit)]

    def joins(run: Sequence[Piece], after: Piece) -> bool:
        block = ruler.block(after)
        if block.kind != "heading" or block.level > parameters.level:
            return True
        # A chapter's heading and its first section's.
        above = ruler.block(run[-1])
        return above.kind == "heading" and above.level < block.level

    return flat(run.whole for run in pack(ruler, units, limit, joins))
