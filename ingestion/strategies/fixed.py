"""Fixed: so many tokens after so many, whatever stands there."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field

from ingestion.chunk import Draft, flat
from ingestion.ruler import Piece, Ruler
from ingestion.split import within


class Parameters(BaseModel):
    """Size and overlap."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    tokens: int = Field(default=256, ge=16, le=8_192, description="Tokens of a chunk")
    overlap: int = Field(
        default=10, ge=0, le=50, description="Percent of `tokens` that a chunk repeats of the one before"
    )


def cut(ruler: Ruler, parameters: Parameters) -> Iterator[Draft]:
    """Windows over the whole text, cut between words or signs."""
    return flat(_windows(ruler, parameters.tokens, parameters.tokens * parameters.overlap // 100))


def _windows(ruler: Ruler, limit: int, overlap: int) -> Iterator[Piece]:
    start, last = ruler.trim(0, len(ruler.text))
    while start < last:
        window = within(ruler, ruler.piece(start, ruler.reach(start, last, limit)), limit)
        yield window
        end = window.end
        after = ruler.trim(end, last)[0]
        back = _back(ruler, start, end, overlap)
        # Where a rule is so uneven that the repeated part fills a window, there is no overlap.
        start = back if after < last and back < end < ruler.reach(back, last, limit) else after


def _back(ruler: Ruler, start: int, end: int, overlap: int) -> int:
    """The earliest place from which at most `overlap` tokens lead to `end`; `end` when there is none."""
    cuts = ruler.cuts(start + 1, end, 2 * overlap)
    first = bisect_left(cuts, True, key=lambda at: ruler.tokens(at, end) <= overlap)
    return next((at for at in cuts[first:] if not ruler.parts_glyph(at)), end)
