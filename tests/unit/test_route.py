"""Which class a page and a document get, and that the reasons say why."""

from __future__ import annotations

import itertools

import pymupdf
import pytest

from ingestion.options import Thresholds
from ingestion.parsed import Level
from ingestion.route import level_of, route_pdf
from ingestion.signals import Signals
from tests.unit.tiny_pdf import Line, tiny_pdf

TEXT = Signals(
    words=300,
    chars=1800,
    bad_share=0.0,
    image_share=0.0,
    largest_image=0.0,
    under_share=0.0,
    paths=2,
    horizontal=0,
    vertical=0,
    rows=40,
    tabular=0.0,
    paired=0.0,
    columns=0.0,
)
PROSE = [Line("The fee is due thirty days after the invoice was sent", y=700 - 14 * n) for n in range(20)]
TABLE = [Line("cell", x=60 + 150 * x, y=700 - 20 * y) for y in range(20) for x in range(3)]


@pytest.mark.parametrize(
    ("changes", "level", "reason"),
    [
        ({}, "LOW", "running text"),
        ({"words": 0, "chars": 0}, None, "blank"),
        ({"words": 2, "chars": 9, "image_share": 0.9}, "EXTREME", "9 characters, pictures on 90%"),
        ({"chars": 9, "paths": 900}, "EXTREME", "outlines"),
        ({"largest_image": 0.9, "under_share": 0.95}, "EXTREME", "95% of the text is unseen"),
        ({"bad_share": 0.3}, "EXTREME", "30% of the characters"),
        ({"image_share": 0.7, "chars": 200}, "EXTREME", "read as a picture"),
        ({"tabular": 0.4}, "HIGH", "40% of 40 rows"),
        ({"tabular": 0.25, "horizontal": 9, "vertical": 9}, "HIGH", "and ruled"),
        ({"tabular": 0.25}, "MEDIUM", "25% of 40 rows"),
        ({"tabular": 0.9, "rows": 5}, "MEDIUM", "90% of 5 rows"),
        ({"horizontal": 9, "vertical": 9}, "MEDIUM", "9 horizontal and 9 vertical"),
        ({"horizontal": 9}, "LOW", "running text"),
        ({"paired": 0.5}, "MEDIUM", "have a gap"),
        ({"paired": 0.5, "rows": 4}, "LOW", "running text"),
        ({"columns": 0.5}, "MEDIUM", "columns side by side on 50%"),
        ({"image_share": 0.3}, "MEDIUM", "pictures on 30%"),
        ({"paths": 400}, "MEDIUM", "400 drawn paths"),
    ],
)
def test_level_of(changes: dict[str, float], level: Level | None, reason: str) -> None:
    """Each rule of the router, and the figure it names."""
    found = level_of(TEXT._replace(**changes), Thresholds())  # type: ignore[arg-type]  # by their names
    assert found.level == level and reason in found.reason


def test_thresholds_are_settings() -> None:
    """Whoever has other documents moves the lines."""
    assert level_of(TEXT, Thresholds(paths=2)).level == "MEDIUM"


@pytest.mark.parametrize(("tables", "level"), [(0, "LOW"), (1, "LOW"), (2, "HIGH"), (10, "HIGH")])
def test_a_fifth_of_the_pages_decides(tables: int, level: Level) -> None:
    """One table in ten pages of contract does not make the whole contract slow to read."""
    pages = [TABLE] * tables + [PROSE] * (10 - tables)
    route = route_pdf(pymupdf.open(stream=tiny_pdf(pages)), Thresholds())
    assert route.level == level
    assert dict(route.levels).get("HIGH", 0) == tables
    assert any(f"{level} is the highest class" in reason for reason in route.reasons)


def test_blank_pages_do_not_count() -> None:
    """Empty backs of scanned or printed sheets say nothing of the document."""
    route = route_pdf(pymupdf.open(stream=tiny_pdf([TABLE, *[[]] * 9])), Thresholds())
    assert route.level == "HIGH" and "9 of 10 pages blank" in route.reasons


def test_a_long_document_is_sampled_evenly() -> None:
    """A thousand pages are not all judged first, and the reasons say so."""
    pdf = pymupdf.open(stream=tiny_pdf([PROSE] * 50))
    route = route_pdf(pdf, Thresholds(sampled_pages=10))
    assert sorted(route.pages) == list(range(1, 51, 5))
    assert "judged by 10 of 50 pages, evenly spread" in route.reasons


def test_signals_stop_when_their_time_is_up() -> None:
    """Pages of a hundred thousand paths cannot hold up the parser; at least one page is judged."""
    ticks = itertools.count(0, 1)
    pdf = pymupdf.open(stream=tiny_pdf([PROSE] * 40))
    route = route_pdf(pdf, Thresholds(budget_s=5), clock=lambda: float(next(ticks)))
    assert len(route.pages) == 5 and max(route.pages) > 20
    assert any("5 of 40 pages: 5 s were up" in reason for reason in route.reasons)


def test_the_pages_between_scans_keep_their_own_class() -> None:
    """Half a document of scans does not send the other half's text to OCR."""
    pdf = pymupdf.open(stream=tiny_pdf([PROSE] * 3))
    for _ in range(2):
        page = pdf.new_page()
        grey = pymupdf.Pixmap(pymupdf.csGRAY, pymupdf.IRect(0, 0, 20, 20)).tobytes("png")
        page.insert_image(page.rect, stream=grey)
    route = route_pdf(pdf, Thresholds())
    assert (route.level, route.text_level) == ("EXTREME", "LOW")
