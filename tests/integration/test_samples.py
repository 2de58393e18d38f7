"""The sample knowledge: one set of facts in all files, and said to be invented in each."""

from __future__ import annotations

import re

import pytest

from tests.samples import NAMES, sample


@pytest.mark.parametrize("name", NAMES)
def test_each_file_says_that_it_is_invented(name: str) -> None:
    """Nobody may take Brightloom for a company, so the first lines say it."""
    opening = sample(name).text[:200]
    assert "Cornerman" in opening and ("invented" in opening or "虚构" in opening)


def test_the_sheet_and_the_price_list_agree() -> None:
    """Two files with two prices would make every answer about prices wrong."""
    rows = {}
    for name in ("product-sheet.pdf", "price-list.xlsx"):
        table = next(b.text for b in sample(name).blocks if b.kind == "table")
        rows[name] = [re.sub(r"(\d),(\d{3})", r"\1\2", line) for line in table.splitlines()]
    assert rows["product-sheet.pdf"] == rows["price-list.xlsx"]
    assert (
        "| Price per seat and month, annual contract (USD) | 19 | 39 | 69 | 99 |" in rows["price-list.xlsx"]
    )


@pytest.mark.parametrize(
    ("fact", "names"),
    [
        (
            "39,436",
            [
                "battlecard-harborline.pdf",
                "sales-playbook.docx",
                "objection-guide.md",
                "objection-guide.zh.md",
            ],
        ),
        ("44,320", ["battlecard-harborline.pdf", "objection-guide.md", "objection-guide.zh.md"]),
        ("31 %", ["product-sheet.pdf", "sales-playbook.docx"]),
        ("99.95 %", ["product-sheet.pdf", "sales-playbook.docx"]),
        ("Pinewake Outdoor", ["product-sheet.pdf", "objection-guide.md", "objection-guide.zh.md"]),
        ("18 %", ["price-list.xlsx", "sales-playbook.docx", "objection-guide.md"]),
    ],
)
def test_a_fact_stands_in_all_its_files(fact: str, names: list[str]) -> None:
    """A figure changed in one file only is found here."""
    assert [name for name in names if fact not in sample(name).text] == []


def test_the_worked_examples_add_up() -> None:
    """A price list that cannot add is no help in a call."""
    [table] = [b.text for b in sample("price-list.xlsx").blocks if b.text.startswith("| Example")]
    for line in table.splitlines()[2:]:
        _, gross, percent, net, once, total = (cell.strip() for cell in line.strip("|").split("|"))
        assert float(net) == pytest.approx(float(gross) * (1 - int(percent.rstrip(" %")) / 100))
        assert float(total) == pytest.approx(float(net) + float(once))
