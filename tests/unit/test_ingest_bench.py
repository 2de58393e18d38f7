"""What the benchmark of ingestion judges by: similarity, cells, reading order, memory, routes."""

from __future__ import annotations

import difflib
import random
from pathlib import Path

import pytest

from benchmarks.ingest.corpus_verdict import Row, goals
from benchmarks.ingest.ocr import PageRead
from benchmarks.ingest.ocr import goals as ocr_goals
from benchmarks.ingest.page_images import LANGUAGES, Page
from benchmarks.ingest.reading import FileRead
from benchmarks.ingest.report import number
from benchmarks.ingest.resident import Sample, trend
from benchmarks.ingest.scores import Found, added, bare, cells_found, common, order, recall, similarity
from benchmarks.ingest.table_truth import KINDS, tables
from ingestion.parsed import Level, Route
from ingestion.table import Cell, cells_of


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("## Price *list*\n\n- one\n- two", "Price list one two"),
        ("| a | b |\n|---|:-:|\n| 1 | 2 |", "a b 1 2"),
        ('see [the duck](/wiki/Duck_(bird) "x") , ![it](a.png)', "see the duck,it"),
        ("<b>bold</b> &amp; x<!-- image -->", "bold&x"),
        ("con-\nfirming, 10-20 and ﬁve", "confirming,10-20 and five"),
        ("价格 表", "价格 表"),
    ],
)
def test_bare_text(text: str, wanted: str) -> None:
    """Two ways to write the same Markdown must not count as two texts, nor words that ran together as one."""
    assert bare(text) == wanted


def test_common_is_the_longest_subsequence() -> None:
    """By the definition, on short random texts."""

    def slow(one: str, other: str) -> int:
        rows = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
        for y, a in enumerate(one, 1):
            for x, b in enumerate(other, 1):
                rows[y][x] = rows[y - 1][x - 1] + 1 if a == b else max(rows[y - 1][x], rows[y][x - 1])
        return rows[-1][-1]

    chance = random.Random(1)
    for _ in range(200):
        one, other = ("".join(chance.choices("abc价", k=chance.randint(0, 12))) for _ in "ab")
        assert common(one, other) == slow(one, other)


def test_similarity_is_at_least_difflibs() -> None:
    """And equal where there is one way to match; 1 and 0 at the ends."""
    assert similarity("seats cost 39", "seats cost 49") == pytest.approx(
        difflib.SequenceMatcher(None, "seats cost 39", "seats cost 49").ratio()
    )
    assert (similarity("", ""), similarity("a", "a"), similarity("a", "b")) == (1, 1, 0)


def test_recall_counts_what_was_read_in_order() -> None:
    """Additions cost nothing, white space neither; a column in the wrong place does."""
    assert recall("价格 39", "x 价格39 y") == 1
    assert recall("abcdefgh", "abcdefg") == 7 / 8
    assert recall("leftright", "rightleft") == 5 / 9
    assert recall("", "anything") == 1


def test_reading_order() -> None:
    """1 in order, -1 backwards; a sentence that is missing or stands there twice is in no pair."""
    said = ["first of all we met", "then prices were named", "last came the terms"]
    assert order(said, " ".join(said)) == 1
    assert order(said, " ".join(reversed(said))) == -1
    assert order(said, f"{said[1]} {said[0]} {said[2]}") == pytest.approx(1 / 3)
    assert order(said, f"{said[0]} noise {said[2]}") == 1
    assert order(said, said[0]) != order(said, said[0])  # nan


def test_cells_by_place_span_and_text() -> None:
    """A moved column loses its cells, a lost span its cell; white space and empty cells do not matter."""
    truth = cells_of([["plan", "price"], ["Starter", "39 $"]])
    assert cells_found(truth, [truth]) == Found(4, 4, 4)
    assert cells_found(truth, [cells_of([["plan", "price"], ["Starter", "39$"], [" ", ""]])]).f1 == 1
    assert cells_found(truth, [cells_of([["", "plan", "price"], ["", "Starter", "39 $"]])]).right == 0
    assert cells_found([Cell(0, 0, "a", 1, 2)], [[Cell(0, 0, "a")]]) == Found(0, 1, 1)
    assert cells_found(truth, []).f1 == 0


def test_a_table_in_pieces_is_not_whole() -> None:
    """Right cells are those of the best piece, and all pieces count as read."""
    truth = cells_of([["plan", "price"], ["Starter", "39"]])
    pieces = [cells_of([["plan", "price"]]), cells_of([["Starter", "39"]])]
    assert cells_found(truth, pieces) == Found(2, 4, 4)
    assert added([Found(2, 4, 4), Found(4, 4, 4)]).f1 == 0.75
    assert added([]).f1 == 1


def test_generated_tables_are_sound() -> None:
    """No two cells share a place, none is empty, each fits its table; the same each time."""
    for kind in KINDS:
        assert len(list(tables(kind))) == KINDS[kind]
        for made, again in zip(tables(kind), tables(kind), strict=True):
            assert made == again
            places = [
                (y, x)
                for cell in made.cells
                for y in range(cell.row, cell.row + cell.row_span)
                for x in range(cell.column, cell.column + cell.column_span)
            ]
            assert len(places) == len(set(places)) and max(places)[0] < made.rows
            assert all(cell.text for cell in made.cells) and made.wide >= made.columns


def test_memory_that_grows() -> None:
    """A parent that is flat after warming up is told from one that grows; the children's peak is a sum."""
    flat = [Sample(s, 200, 100 if s > 5 else 50, [100, 50]) for s in range(100)]
    found = trend(flat)
    assert (found.growth, found.peak) == (1, 200) and found.slope_a_minute == pytest.approx(0)
    assert (found.children_peak, found.child_peak) == (150, 100)
    growing = trend([Sample(s, 200, 100 + s, []) for s in range(100)])
    assert growing.growth > 1.5 and growing.slope_a_minute == pytest.approx(60)
    assert trend(flat[:1]).growth != trend(flat[:1]).growth  # nan


def row(
    folder: str,
    level: Level | None,
    code: str = "",
    ours: float | None = None,
    raw: float | None = None,
    name: str = "a.pdf",
) -> Row:
    route = Route("pdf", level, "pymupdf", ()) if level else None
    return Row(folder, Path(name), FileRead(1.0, None, route, code), ours, raw)


def test_the_corpus_is_judged() -> None:
    """Routes by folder, broken files by their code, texts beside the library's with room for rounding."""
    rows = [
        row("LOW", "LOW", ours=0.999, raw=1.0),
        row("HIGH", "MEDIUM", ours=0.9, raw=0.95),
        row("EXTREME", None, "DOCUMENT_CORRUPT"),
        row("BROKEN", None, "DOCUMENT_EMPTY", name="zero_bytes.pdf"),
        row("BROKEN", None, "DOCUMENT_CORRUPT", name="encrypted_pw_1234.pdf"),
        row("BROKEN", "LOW", name="docx_named.pdf"),
    ]
    judged = {goal.text: (goal.value, goal.met) for goal in goals(rows)}
    assert list(judged.values()) == [
        (1, False),
        (pytest.approx(1 / 3), False),
        (1, False),
        (1, False),
        (pytest.approx(1.899 / 1.95), False),
    ]


def test_two_columns_are_judged_by_the_worst_page() -> None:
    """A mean would hide one page that was read across its columns."""
    reads = [
        PageRead(Page(language, columns, spoilt, (), b""), 0.99, 0.2 if columns == 2 and spoilt else 1, 1.0)
        for language in LANGUAGES
        for columns in (1, 2)
        for spoilt in ("", "noise")
    ]
    missed = [goal.text for goal in ocr_goals(reads) if not goal.met]
    assert missed == [f"{language}, spoilt, 2 columns: reading order, worst page" for language in LANGUAGES]


def test_numbers_keep_what_matters() -> None:
    """Megabytes without decimals, ratios with them."""
    assert [number(value) for value in (1234.5, 0.98765, 3)] == ["1,234", "0.988", "3"]
