"""Scores, totals and caps."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from nodes.call import fresh
from nodes.packs import parse_pack
from nodes.rubric import RUBRIC, Cap, Score, tier, total
from nodes.score import Rating, checked
from tests.fakes import PACKS

FILE = PACKS / "meridian-coo.yaml"
STATE = fresh(parse_pack(FILE.read_text("utf-8"), FILE.name))
STATE["turns"] = [{"speaker": "rep", "name": "", "text": "Who decides?"}]


def rating(*quotes: tuple[int, str], observed: bool = True) -> Rating:
    said = [{"turn": turn, "text": text} for turn, text in quotes]
    return Rating.model_validate({"observed": observed, "score": 4, "reason": "r", "quotes": said})


def scores(*points: int | None) -> list[Score]:
    return [
        {
            "dimension": dimension,
            "status": "scored" if point else "not_observed",
            "score": point,
            "anchor": "",
            "reason": "",
            "quotes": [],
        }
        for dimension, point in zip(RUBRIC, points, strict=True)
    ]


def test_a_score_needs_a_quote_that_stands() -> None:
    """An invented one leaves no number; one good quote among bad ones is enough."""
    invented = checked("qualification", rating((0, "Who signs?"), (3, "Who decides?")), STATE)
    assert invented["status"] == "unsupported" and invented["score"] is None and not invented["quotes"]
    proven = checked("qualification", rating((0, "Who signs?"), (0, "Who decides?")), STATE)
    assert proven["status"] == "scored" and proven["score"] == 4 and len(proven["quotes"]) == 1
    assert proven["anchor"] == RUBRIC["qualification"].anchors[3]
    absent = checked("qualification", rating((0, "Who decides?"), observed=False), STATE)
    assert absent["status"] == "not_observed" and absent["score"] is None


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ((5, 5, 5, 5, 5, 5, 5), 100),
        ((1, 1, 1, 1, 1, 1, 1), 0),
        ((3, 3, 3, 3, 3, 3, 3), 50),
        ((5, 5, 5, 5, None, None, None), 100),
        ((5, 5, 5, None, None, None, None), None),
    ],
)
def test_the_total_runs_from_0_to_100(points: tuple[int | None, ...], expected: int | None) -> None:
    """Over what was scored, and not from too little."""
    assert total(scores(*points), []) == expected


def test_caps_limit_the_total() -> None:
    """The lowest one counts, and a cap never lifts."""
    caps: list[Cap] = [{"limit": 60, "because": "wrong_price"}, {"limit": 50, "because": "forbidden_promise"}]
    assert total(scores(5, 5, 5, 5, 5, 5, 5), caps) == 50
    assert total(scores(1, 1, 1, 1, 1, 1, 1), caps) == 0


@pytest.mark.parametrize(("points", "mark"), [(95, 90), (90, 90), (75, 75), (51, 50), (49, 0), (None, None)])
def test_tiers(points: int | None, mark: int | None) -> None:
    """50, 75 and 90, reached from below."""
    assert tier(points) == mark


@pytest.mark.parametrize("score", [0, 6])
def test_a_score_off_the_scale_is_not_taken(score: int) -> None:
    """A sloppy model's 10 of 10 is repaired or refused."""
    with pytest.raises(ValidationError):
        Rating(observed=True, score=score, reason="", quotes=[])
