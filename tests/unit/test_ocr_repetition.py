"""A model's loop is told from text that rightly repeats itself."""

from __future__ import annotations

import pytest

from ingestion.ocr.repetition import repeats_itself

PROSE = " ".join(f"The offer of day {i} names {i * 37} seats and its price." for i in range(60))


@pytest.mark.parametrize(
    "loop", ["a", "的", "The price is 40. ", "<td>0</td>", "\\quad ", "a" * 149 + "b", "Line.\n\n"]
)
def test_a_loop_is_seen(loop: str) -> None:
    """Whatever its period, and whatever stood before it."""
    assert repeats_itself(PROSE + loop * 700)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "short",
        PROSE,
        PROSE + "." * 200,
        PROSE[:290] * 4,
        PROSE + "_" * 300,
        "<table>" + "<tr><td></td><td></td></tr>" * 300,
        "".join(f"<tr><td>{i}</td><td>{i * 7}</td></tr>" for i in range(300)),
    ],
)
def test_text_is_no_loop(text: str) -> None:
    """Rows of dots, empty forms, numbered rows and a clause that stands twice belong to documents."""
    assert not repeats_itself(text)
