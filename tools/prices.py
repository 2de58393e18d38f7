"""Prices: read from the price list through search, added up in code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Final, Literal

from langchain_core.tools import tool
from langgraph.prebuilt import ToolRuntime
from pydantic import Field

from runtime.context import Context, Search
from runtime.errors import KnowledgeUnavailable
from runtime.passage import Passage

Term = Literal["monthly", "1 year", "2 years", "3 years"]
SEARCHES: Final = (
    "plans price per seat and month annual contract monthly billing minimum seats maximum seats",
    "discounts by seats on an annual contract",
    "discounts by term years",
    "rules for discounts adding up stop at",
)
_NUMBER: Final = re.compile(r"\d[\d,]*(?:\.\d+)?")
_CENT: Final = Decimal("0.01")


@dataclass(frozen=True)
class Row:
    """A table row of the knowledge, by column name."""

    cells: dict[str, str]
    label: str
    """The first cell."""
    line: str
    locator: str


@dataclass(frozen=True)
class PriceList:
    """What the searches found of it."""

    rows: tuple[Row, ...]
    prose: str

    def value(self, plan: str, *label: str) -> tuple[Decimal, Row] | None:
        """The figure of the plan's column in the first row whose label holds all the words."""
        for row in self.rows:
            if all(word in row.label.lower() for word in label) and (cell := _column(row, plan)):
                if found := _NUMBER.search(cell):
                    return Decimal(found.group().replace(",", "")), row
        return None

    def plans(self) -> list[str]:
        """Names of the plans, in the list's order; [] when the list was not found."""
        row = next((r for r in self.rows if "price per seat" in r.label.lower()), None)
        return [name for name in row.cells if name] if row else []


async def read_price_list(search: Search) -> PriceList:
    """The rows about plans and discounts. Raises KnowledgeUnavailable."""
    passages: dict[tuple[str, int], Passage] = {}
    for query in SEARCHES:
        for passage in await search(query, limit=4):
            passages.setdefault((passage.document_id, passage.start), passage)
    found = list(passages.values())
    # Where two documents give a price, the price list holds; the playbook says so.
    found.sort(key=lambda p: "price" not in p.document.lower())
    return PriceList(tuple(row for p in found for row in rows(p)), "\n".join(p.text for p in found))


def rows(passage: Passage) -> Iterator[Row]:
    """The rows of the tables in a passage, header rows and rules left out."""
    header: list[str] = []
    for line in passage.text.splitlines():
        if "|" not in line:
            header = []
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not header:
            header = cells
        elif not all(set(cell) <= set("-: ") for cell in cells):
            named = dict(zip(header[1:], cells[1:], strict=False))
            yield Row(named, cells[0], line.strip(), passage.locator)


@tool
async def quote_price(
    plan: str,
    seats: Annotated[int, Field(ge=1, le=100_000)],
    term: Term,
    runtime: ToolRuntime[Context],
) -> str:
    """Price for a plan, a number of seats and a term, with the discounts of the price list.

    Returns the sum with its parts and the rows it was read from, or why there is no price.
    """
    try:
        listed = await read_price_list(runtime.context.search)
    except KnowledgeUnavailable:
        return "The price list cannot be reached right now; tell the user that there is no quote for now."
    known = listed.plans()
    name = next((p for p in known if p.lower() == plan.strip().lower()), None)
    if name is None:
        return f"There is no plan {plan!r}. Plans: {', '.join(known) or 'none found in the documents'}."
    return _quote(listed, name, seats, term)


def _quote(listed: PriceList, plan: str, seats: int, term: Term) -> str:
    billing = "monthly billing" if term == "monthly" else "annual"
    price = listed.value(plan, "price per seat", billing)
    if price is None:
        return f"{plan} is not offered with {billing}."
    if refusal := _outside(listed, plan, seats):
        return refusal
    percent, reasons = (Decimal(0), []) if term == "monthly" else _discount(listed, seats, term)
    monthly = price[0] * seats
    year = monthly * 12
    net = (year * (100 - percent) / 100).quantize(_CENT, ROUND_HALF_UP)
    once = listed.value(plan, "onboarding")
    used = [price[1], *(reason for reason in reasons), *([once[1]] if once else [])]
    parts = [f"{plan}, {seats} seats, {term}: {price[0]} USD × {seats} seats = {_money(monthly)} USD a month"]
    parts.append(f"list price {_money(year)} USD a year")
    parts.append(f"discount {percent} %" if percent else "no discount")
    parts.append(f"net {_money(net)} USD a year")
    if once:
        parts.append(f"onboarding {_money(once[0])} USD once, first year {_money(net + once[0])} USD")
    sources = "\n".join(f"- {row.locator}: {row.line}" for row in used)
    return f"{'; '.join(parts)}.\nRead from:\n{sources}"


def _outside(listed: PriceList, plan: str, seats: int) -> str:
    least, most = listed.value(plan, "minimum seats"), listed.value(plan, "maximum seats")
    if least and seats < least[0]:
        return f"{plan} starts at {least[0]} seats; {seats} are too few. Offer a smaller plan."
    if most and seats > most[0]:
        return f"{plan} ends at {most[0]} seats; {seats} are too many. Offer a larger plan."
    return ""


def _discount(listed: PriceList, seats: int, term: Term) -> tuple[Decimal, list[Row]]:
    """Seat and term discounts in per cent, added and capped as the list says, with their rows."""
    found = [row for row in listed.rows if _covers(row, seats)][:1]
    found += [row for row in listed.rows if row.label.lower() == term][:1]
    total = sum((_percent(row) for row in found), Decimal(0))
    cap = re.search(r"together they stop at (\d+) ?%", listed.prose)
    return (min(total, Decimal(cap.group(1))) if cap else total), found


def _covers(row: Row, seats: int) -> bool:
    """Whether the row's label is a range of seats, `25 to 49` or `500 and more`, that holds `seats`."""
    if found := re.fullmatch(r"(\d+) to (\d+)", row.label):
        return int(found.group(1)) <= seats <= int(found.group(2))
    more = re.fullmatch(r"(\d+) and more", row.label)
    return bool(more and seats >= int(more.group(1)))


def _percent(row: Row) -> Decimal:
    found = _NUMBER.search(" ".join(row.cells.values()))
    return Decimal(found.group()) if found else Decimal(0)


def _column(row: Row, plan: str) -> str:
    return next((value for name, value in row.cells.items() if name.lower() == plan.lower()), "")


def _money(amount: Decimal) -> str:
    return f"{amount.quantize(_CENT, ROUND_HALF_UP):,}"
