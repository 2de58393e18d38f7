"""When a text is too poor to be kept."""

from __future__ import annotations

import pytest

from ingestion.options import Thresholds
from ingestion.quality import quality_of, shortfall

TEXT = "A seat costs sixty-nine dollars a month in Business, 价格是多少？"


@pytest.mark.parametrize(
    ("text", "layer", "why"),
    [
        (TEXT, "", ""),
        (TEXT, TEXT, ""),
        (TEXT[::-1], TEXT, ""),
        ("", "", ""),
        ("", TEXT, "100% of the text layer was lost"),
        (TEXT[:20], TEXT, "of the text layer was lost"),
        (TEXT + "\ufffd" * 9, "", "have no meaning"),
        (TEXT + "\ue001" * 9, "", "have no meaning"),
        (".,-;:_/()[]{}!?*+=<>~" * 3, "", "only 0%"),
        ("—", "", ""),
        ("1,234.50 9,876.00 1,000.00", "", ""),
    ],
)
def test_shortfall(text: str, layer: str, why: str) -> None:
    """A wrong order of words is no loss; missing, meaningless and letterless text is."""
    found = shortfall(quality_of(text, layer), Thresholds())
    assert found == why if not why else why in found


def test_the_floor_is_a_setting() -> None:
    """Documents of formulas need a lower one."""
    formula = quality_of("x = (a + b) * (c - d) / ((e + f) - (g * h))")
    assert shortfall(formula, Thresholds(min_letters_share=0.9))
    assert not shortfall(formula, Thresholds(min_letters_share=0.1))
