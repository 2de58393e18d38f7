"""What the benchmark of retrieval judges by: rankings, returned text, sets and the places in them."""

from __future__ import annotations

import json
from math import log2
from pathlib import Path

import pytest

from benchmarks.retrieval.long_documents import Span, joined
from benchmarks.retrieval.points import OTHER, PROFILE, TENANT, batches, queries
from benchmarks.retrieval.ranks import halves, ndcg, recall
from benchmarks.retrieval.returned import Passage, score
from benchmarks.retrieval.sets import Set, sets_in
from ingestion.document import clean
from runtime.errors import InvalidInput

LOCK = Path(__file__).parents[2] / "benchmarks" / "retrieval" / "requirements.lock"


def write(folder: Path) -> Path:
    """A set of two paragraphs in three children, and two questions of which one has a right text."""
    made = folder / "small"
    made.mkdir()
    texts = [("1", "a", "First sentence. "), ("2", "a", "Second one."), ("3", "b", "Another paragraph.")]
    rows = [{"_id": id, "parent_id": parent, "text": text} for id, parent, text in texts]
    (made / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)))
    asked = [{"_id": "q1", "text": "what is the first"}, {"_id": "q2", "text": "and this"}]
    (made / "queries.jsonl").write_text("\n".join(map(json.dumps, asked)))
    (made / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\t2\t1\nq2\t3\t0\n")
    return folder


@pytest.fixture
def small(tmp_path: Path) -> Set:
    return sets_in(write(tmp_path))[0]


def test_ndcg_by_the_definition() -> None:
    """The right one at rank 2 of one, two right ones at 1 and 3; a text that comes twice counts once."""
    assert ndcg(["x", "a"], ["a"]) == pytest.approx(1 / log2(3))
    assert ndcg(["a", "x", "b"], ["a", "b"]) == pytest.approx((1 + 1 / log2(4)) / (1 + 1 / log2(3)))
    assert ndcg(["a", "a", "b"], ["a", "b"]) == 1
    assert ndcg([str(n) for n in range(10)] + ["a"], ["a"]) == 0


def test_recall_is_of_the_right_ones() -> None:
    """Half of two; beyond the depth nothing counts."""
    assert recall(["a", "x"], ["a", "b"]) == 0.5
    assert recall(["x", "a"], ["a"], depth=1) == 0


def test_a_set_is_read_with_what_was_judged_right(small: Set) -> None:
    """A question without a right text would count as missed whatever is found."""
    assert (small.name, small.language, len(small.corpus)) == ("small", "en", 3)
    assert small.queries == {"q1": "what is the first"} and small.right == {"q1": frozenset({"2"})}


def test_a_folder_without_sets_is_an_error(tmp_path: Path) -> None:
    """A wrong path must not pass for a benchmark without figures."""
    with pytest.raises(InvalidInput, match=r"corpus\.jsonl"):
        sets_in(tmp_path)


def test_halves_share_no_query() -> None:
    """What was chosen by one half is checked by the other."""
    four = Set("s", "en", [], dict.fromkeys("abcd", "text"), {})
    assert (four.half(0), four.half(1)) == (["a", "c"], ["b", "d"])
    assert halves(four, {"a": 1.0, "b": 0.0, "c": 0.0, "d": 0.0}) == "0.500 / 0.000"


def test_every_text_is_found_again_in_its_long_document(small: Set) -> None:
    """A judgement that points to the wrong place would score all chunkings alike, and wrongly."""
    (whole,) = joined(small, 2)
    assert len(whole.document.blocks) == 2
    for text in small.corpus:
        span = whole.spans[text.id]
        assert whole.document.text[span.start : span.end] == clean(text.text)
    assert [len(each.spans) for each in joined(small, 1)] == [2, 1]


def passage(start: int, end: int, tokens: int, document: str = "d") -> Passage:
    return Passage(Span(document, start, end), tokens)


def test_returned_text_counts_once_and_within_the_budget() -> None:
    """Overlapping chunks, and those behind the budget, must not look like more of the answer."""
    right = [Span("d", 0, 100)]
    twice = score([passage(0, 50, 100), passage(0, 50, 100)], right)
    assert twice.texts == (0.5, 0.5, 0.5)
    late = score([passage(200, 900, 600), passage(0, 100, 600)], right)
    assert late.texts == pytest.approx((0, 0.66, 1), abs=0.01)
    assert score([passage(0, 100, 10, document="other")], right).texts == (0, 0, 0)


def test_passages_are_ranked_by_where_the_right_text_is() -> None:
    """A chunk with most of it counts, one that touches it does not, whichever of them is longer."""
    right = [Span("d", 100, 200)]
    assert score([passage(0, 160, 10)], right).passage_ndcg == 1
    assert score([passage(110, 140, 10)], right).passage_ndcg == 1
    assert score([passage(0, 120, 10), passage(120, 300, 10)], right).passage_ndcg == pytest.approx(
        1 / log2(3)
    )
    found = score([passage(0, 50, 10, document="x"), passage(0, 50, 10)], right)
    assert found[:2] == pytest.approx((1 / log2(3), 1))


def test_made_up_points_are_of_two_tenants_and_their_profile() -> None:
    """The filter has something to keep out, and the same seed makes the same points."""
    made = list(batches(100, size=10))
    assert {tenant for tenant, _ in made} == {TENANT, OTHER} and sum(len(batch) for _, batch in made) == 100
    for vectors in [*(put.vectors for _, batch in made for put in batch), *queries(5)]:
        PROFILE.check(vectors)
    assert next(batches(5))[1][0].payload == made[0][1][0].payload


def test_minilm_is_locked_without_an_index_and_without_torch() -> None:
    """It holds for whoever installs, from whatever index; which torch is for the machine to say."""
    lock = LOCK.read_text()
    assert "--hash=sha256:" in lock
    assert "://" not in lock and "\ntorch==" not in lock
