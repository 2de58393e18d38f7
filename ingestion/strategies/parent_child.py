"""Parent–child: small children to find, in parents that follow the document's sections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ingestion.chunk import Draft, pack
from ingestion.rows import pieces
from ingestion.ruler import Piece, Ruler

_SHORT_SECTION = 4
"""A section joins the parent before it while that one holds less than a quarter of the limit."""


class Parameters(BaseModel):
    """What a child and a parent may hold."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    child_tokens: int = Field(default=128, ge=16, le=8_192, description="Most tokens of a child, found by")
    parent_tokens: int = Field(
        default=512, ge=16, le=32_768, description="Most tokens of a parent, read by the model"
    )

    @model_validator(mode="after")
    def _child_fits(self) -> Self:
        if self.child_tokens > self.parent_tokens:
            raise ValueError(
                f"child_tokens is {self.child_tokens} and parent_tokens {self.parent_tokens}; needed is"
                " child_tokens <= parent_tokens"
            )
        return self


def cut(ruler: Ruler, parameters: Parameters) -> Iterator[Draft]:
    """Parents that hold every block, in order, without overlap, each in children.

    A parent opens at a heading unless the section before is short; a child never spans two sections or
    pages. A table's rows are never split while they fit a parent, and its header row goes with every piece,
    so a child that holds a single row may be larger than `child_tokens`. A row or a header larger than a
    parent is cut like prose.
    """
    child_limit, limit = parameters.child_tokens, parameters.parent_tokens
    units = [unit for b in ruler.document.blocks for unit in pieces(ruler, b, b.start, b.end, limit)]

    def joins_parent(run: Sequence[Piece], after: Piece) -> bool:
        return not _opens_parent(ruler, run, after, limit)

    def joins_child(run: Sequence[Piece], after: Piece) -> bool:
        return _joins_child(ruler, run, after)

    for parent in pack(ruler, units, limit, joins_parent):
        smaller = [
            piece
            for unit in parent.pieces
            for piece in pieces(ruler, ruler.block(unit), unit.start, unit.end, child_limit, limit)
        ]
        yield Draft(parent.whole, [child.whole for child in pack(ruler, smaller, child_limit, joins_child)])


def _opens_parent(ruler: Ruler, run: Sequence[Piece], after: Piece, limit: int) -> bool:
    block = ruler.block(after)
    if block.kind != "heading" or ruler.block(run[-1]).kind == "heading":
        return False
    return block.level == 1 or sum(piece.tokens for piece in run) * _SHORT_SECTION >= limit


def _joins_child(ruler: Ruler, run: Sequence[Piece], after: Piece) -> bool:
    """One section and page; a table stands alone under its heading."""
    last, block = ruler.block(run[-1]), ruler.block(after)
    if block.page != last.page:
        return False
    if last.kind == "heading":
        return True
    return block.section == last.section and "table" not in (block.kind, last.kind)
