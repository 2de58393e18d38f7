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
    """The page asked for, latest created first unless it says otherwise; its headers as `cut`'s."""
    chosen, headers = cut(rows, asked, id_field)
    return Reply(selected(chosen, asked), headers=headers)


def cut(rows: Sequence[Row], asked: Listing, id_field: str) -> tuple[list[Row], dict[str, str]]:
    """The page with all its fields, and the headers that tell of the rest.

    `x-pagination-total` is how many there are in all, `x-pagination-next` the next page's offset, if any.
    """
    field = asked.sort_by or "created_at"
    ordered = sorted(rows, key=lambda row: _rank(row, field, id_field), reverse=asked.sort_order != "asc")
    end = asked.offset + asked.limit
    headers = {"x-pagination-total": str(len(rows))}
    if end < len(rows):
        headers["x-pagination-next"] = str(end)
    return ordered[asked.offset : end], headers


def selected(rows: Sequence[Row], asked: Listing) -> list[Row]:
    """The rows with the fields asked for; all of them where none are named."""
    if not asked.select:
        return list(rows)
    return [{name: row[name] for name in asked.select if name in row} for row in rows]


def _rank(row: Row, field: str, id_field: str) -> tuple[bool, str, str]:
    # The id last: rows of the same moment must not change places from one page to the next.
    value = row[field]
    return value is not None, str(value).lower(), row[id_field]
