"""Tables by chance, whose cells are known: ruled, borderless, spanning, Chinese."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Literal, NamedTuple

from ingestion.table import Cell

Kind = Literal["ruled", "borderless", "spanning", "Chinese, ruled", "Chinese, borderless"]
KINDS: dict[Kind, int] = {
    "ruled": 30,
    "borderless": 30,
    "spanning": 30,
    "Chinese, ruled": 15,
    "Chinese, borderless": 15,
}
"""How many of each, in each format."""

_EMPTY, _LONG = 0.06, 0.15
"""Shares of the cells that are empty, and of the texts that need more than one line."""
_WORDS = {
    False: "Starter Business Enterprise seat licence support onboarding renewal volume discount annual"
    " monthly gateway storage backup audit training region partner invoice credit delivery retail".split(),
    True: "基础版 企业版 旗舰版 席位 许可 支持 上线 续约 批量 折扣 年度 月度 网关 存储 备份"
    " 审计 培训 华东 伙伴 发票 额度 交付 零售 渠道".split(),
}


class Made(NamedTuple):
    kind: Kind
    number: int
    rows: int
    columns: int
    cells: tuple[Cell, ...]
    """Row by row; empty ones left out."""

    @property
    def wide(self) -> int:
        """Columns that the cells cover; `columns` is what was asked for."""
        return max(self.columns, *(cell.column + cell.column_span for cell in self.cells))

    @property
    def ruled(self) -> bool:
        return "borderless" not in self.kind

    @property
    def chinese(self) -> bool:
        return self.kind.startswith("Chinese")


def tables(kind: Kind) -> Iterator[Made]:
    """Always the same."""
    for number in range(KINDS[kind]):
        chance = random.Random(f"{kind} {number}")
        rows, columns = chance.randint(5, 14), chance.randint(3, 6)
        make = _spanning if kind == "spanning" else _plain
        cells = tuple(cell for cell in make(chance, rows, columns, kind.startswith("Chinese")) if cell.text)
        yield Made(kind, number, rows, columns, cells)


def _plain(chance: random.Random, rows: int, columns: int, chinese: bool) -> Iterator[Cell]:
    """A header, a column of names, columns of one sort each."""
    sorts = _sorts(chance, columns)
    for column in range(columns):
        yield Cell(0, column, _title(chance, chinese), header=True)
    for row in range(1, rows):
        for column in range(columns):
            yield Cell(row, column, _text(chance, sorts[column], chinese))


def _spanning(chance: random.Random, rows: int, columns: int, chinese: bool) -> Iterator[Cell]:
    """Two rows of header with a group over some columns; names over several rows; a sum over two columns."""
    columns = max(columns, 4)
    sorts = _sorts(chance, columns)
    first = chance.randint(1, columns - 2)
    wide = chance.randint(2, min(3, columns - first))
    for column in range(columns):
        if column == first:
            yield Cell(0, column, _title(chance, chinese), 1, wide, True)
        elif not first <= column < first + wide:
            yield Cell(0, column, _title(chance, chinese), 2, 1, True)
    for column in range(first, first + wide):
        yield Cell(1, column, _title(chance, chinese), header=True)
    row = 2
    while row < rows - 1:
        high = min(chance.choice((1, 1, 2, 3)), rows - 1 - row)
        yield Cell(row, 0, _text(chance, "name", chinese), high)
        for inner in range(row, row + high):
            for column in range(1, columns):
                yield Cell(inner, column, _text(chance, sorts[column], chinese))
        row += high
    yield Cell(rows - 1, 0, "合计" if chinese else "Total", 1, 2)
    for column in range(2, columns):
        yield Cell(rows - 1, column, _text(chance, "number", chinese))


def _sorts(chance: random.Random, columns: int) -> list[str]:
    others = ("number", "number", "money", "share", "text", "date")
    return ["name", *(chance.choice(others) for _ in range(columns - 1))]


def _title(chance: random.Random, chinese: bool) -> str:
    return _words(chance, chinese, chance.choice((1, 1, 2)))


def _text(chance: random.Random, sort: str, chinese: bool) -> str:
    if sort != "name" and chance.random() < _EMPTY:
        return ""
    match sort:
        case "number":
            return str(chance.randint(1, 9_999))
        case "money":
            return f"{chance.randint(10, 99_999):,}.{chance.randint(0, 99):02}"
        case "share":
            return f"{chance.randint(0, 100)} %"
        case "date":
            return f"20{chance.randint(20, 29)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
    many = sort == "text" and chance.random() < _LONG
    return _words(chance, chinese, chance.randint(5, 8) if many else chance.randint(1, 3))


def _words(chance: random.Random, chinese: bool, count: int) -> str:
    return ("" if chinese else " ").join(chance.choices(_WORDS[chinese], k=count))
