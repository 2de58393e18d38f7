"""Reading a price list and adding up."""

from __future__ import annotations

from decimal import Decimal

import pytest

from runtime.errors import KnowledgeUnavailable
from tests.fakes import no_search, passages, search
from tools.prices import PriceList, read_price_list, rows

pytestmark = pytest.mark.anyio


def test_rows_are_read_with_their_columns() -> None:
    """Header rows and rules are no rows."""
    (listed,) = [p for p in passages() if p.document == "price-list.xlsx"]
    found = list(rows(listed))
    assert len(found) == 6 and found[0].cells["Team"] == "39"
    assert found[0].locator == "price-list.xlsx, Plans!A1:E7"


async def test_a_value_is_found_by_plan_and_label() -> None:
    """What the list does not offer is None and not a number of another row."""
    listed = await read_price_list(search)
    assert listed.plans() == ["Starter", "Team", "Business", "Enterprise"]
    price = listed.value("Business", "price per seat", "annual")
    assert price and price[0] == Decimal(69)
    assert listed.value("Enterprise", "price per seat", "monthly") is None
    assert listed.value("Gold", "price per seat") is None


async def test_the_price_list_holds_where_documents_differ() -> None:
    """The playbook says so."""
    listed = await read_price_list(search)
    other = [row for row in listed.rows if "price-list" not in row.locator]
    assert listed.rows.index(other[0]) > 5 if other else listed.rows


async def test_without_knowledge_there_is_no_list() -> None:
    """The caller decides what that means."""
    with pytest.raises(KnowledgeUnavailable):
        await read_price_list(no_search)
    assert PriceList((), "").plans() == []
