"""The pieces of one block: prose by sentences, tables by whole rows under their header."""

from __future__ import annotations

from collections.abc import Iterator

from ingestion.document import Block
from ingestion.ruler import Piece, Ruler
from ingestion.split import lines, split
from ingestion.table import header_of


def pieces(
    ruler: Ruler, block: Block, start: int, end: int, limit: int, row_limit: int | None = None
) -> list[Piece]:
    """The slice of `block`, in pieces of at most `limit` tokens, or of one row of at most `row_limit`.

    A table's rows stay whole, and a piece that does not begin the table has its header as prefix. A row that
    does not fit `row_limit` under its header is cut like prose, and so is a table whose header takes more
    than half of `row_limit`, which is `limit` by default.
    """
    row_limit = row_limit or limit
    if block.kind != "table":
        return split(ruler, start, end, limit, by_line=block.kind == "list")
    header = header_of(block.text)
    if not header or ruler.rule(header) > row_limit // 2:
        return split(ruler, start, end, limit, by_line=True)
    rows = list(_rows(ruler, block, start, end, header, limit, row_limit))
    return list(_grouped(ruler, block, rows, header, limit))


def _rows(
    ruler: Ruler, block: Block, start: int, end: int, header: str, limit: int, row_limit: int
) -> Iterator[Piece]:
    """Whole rows, and what is cut of rows that are too large; the header's lines are not among them."""
    room = max(limit, min(row_limit, 2 * ruler.rule(header)))
    for row in lines(ruler, max(start, block.start + len(header)), end):
        if _is_whole(ruler.text, block, row) and ruler.tokens(row.start, row.end, header) <= row_limit:
            yield row
        else:
            yield from split(ruler, row.start, row.end, room, prefix=header)


def _is_whole(text: str, block: Block, row: Piece) -> bool:
    """Whether this is a line of the table, not what was cut of one."""
    opens = max(text.rfind("\n", block.start, row.start) + 1, block.start)
    closes = text.find("\n", row.end, block.end)
    around = text[opens : row.start] + text[row.end : block.end if closes < 0 else closes]
    return not around.strip()


def _grouped(ruler: Ruler, block: Block, rows: list[Piece], header: str, limit: int) -> Iterator[Piece]:
    """As many rows as fit the limit under the header, at least one."""
    first = 0
    while first < len(rows):
        opens = rows[first].start == ruler.trim(block.start + len(header), block.end)[0]
        start, prefix = (block.start, "") if opens else (rows[first].start, header)
        last = first + 1
        size = ruler.rule(header) + rows[first].tokens
        while last < len(rows) and size + rows[last].tokens <= limit:
            size += rows[last].tokens
            last += 1
        whole = ruler.piece(start, rows[last - 1].end, prefix)
        while whole.tokens > limit and last - first > 1:
            last -= max(1, (last - first) * (whole.tokens - limit) // whole.tokens)
            whole = ruler.piece(start, rows[last - 1].end, prefix)
        yield whole
        first = last
