"""What the searches of rows have in common: order, page, fields, and the headers that tell of the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from runtime.api.call import MAX_PAGE, Body, Reply

Row = Mapping[str, Any]


class Listing(Body):
    """A search's body adds what it is searched by, and narrows `sort_by` and `select` to its fields."""

    limit: int = Field(10, ge=1, le=MAX_PAGE)
    offset: int = Field(0, ge=0)
    sort_by: str | None = None
    sort_order: Literal["asc", "desc"] | None = None
    select: Sequence[str] | None = None


def page(rows: Sequence[Row], asked: Listing, id_field: str) -> Reply:
    """The page asked for, latest created first unless it says otherwise.

    `x-pagination-total` is how many there are in all, `x-pagination-next` the next page's offset, if any.
    """
    field = asked.sort_by or "created_at"
    ordered = sorted(rows, key=lambda row: _rank(row, field, id_field), reverse=asked.sort_order != "asc")
    end = asked.offset + asked.limit
    chosen = ordered[asked.offset : end]
    if asked.select:
        chosen = [{name: row[name] for name in asked.select} for row in chosen]
    headers = {"x-pagination-total": str(len(rows))}
    if end < len(rows):
        headers["x-pagination-next"] = str(end)
    return Reply(chosen, headers=headers)


def _rank(row: Row, field: str, id_field: str) -> tuple[bool, str, str]:
    # The id last: rows of the same moment must not change places from one page to the next.
    value = row[field]
    return value is not None, str(value).lower(), row[id_field]
