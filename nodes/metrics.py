"""Conversation metrics: behaviours to show a rep, never a prediction of the outcome. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final, Literal, TypedDict

from nodes.bilingual import words
from nodes.call import Turn

_FILLER: Final = re.compile(
    r"\b(um+|uh+|er+m?|hmm+|you know|sort of|kind of|basically|actually|like,)|嗯|呃|那个|就是说",
    re.IGNORECASE,
)


class Metric(TypedDict):
    """`value` is None when `label` is `unavailable`; `band` is what is usual or good, None where unknown."""

    name: str
    value: float | None
    unit: str
    label: Literal["measured", "estimated", "unavailable"]
    band: list[float | None] | None


BANDS: Final[dict[str, list[float | None]]] = {
    "talk_share": [0.30, 0.65],
    "questions": [11, 14],
    "open_share": [0.5, None],
    "longest_monologue": [None, 76],
    "pace": [140, 190],
}
"""Talk share, questions, monologue and pace: DESIGN.md, "The domain"; 43 % and 173 words a minute are usual
there. At least half of the questions open: a common teaching rule."""


def metrics(turns: Sequence[Turn], observations: Sequence[dict[str, Any]]) -> list[Metric]:
    """All metrics of a text chat; what needs a clock is `unavailable`, and never guessed."""
    rep = [words(turn["text"]) for turn in turns if turn["speaker"] == "rep"]
    said = sum(map(len, rep))
    everything = sum(len(words(turn["text"])) for turn in turns)
    questions = [q for seen in observations for q in seen["questions"]]
    fillers = sum(len(_FILLER.findall(turn["text"])) for turn in turns if turn["speaker"] == "rep")
    return [
        # Words stand for time here, which is why a chat's talk share is an estimate.
        _metric("talk_share", said / everything if everything else None, "share", "estimated"),
        _metric("questions", len(questions), "count", "measured"),
        _metric(
            "open_share",
            sum(q["form"] == "open" for q in questions) / len(questions) if questions else None,
            "share",
            "measured",
        ),
        _metric("longest_turn", max(map(len, rep), default=0), "words", "measured"),
        _metric("fillers", 100 * fillers / said if said else None, "per 100 words", "measured"),
        _metric("interactivity", _switches(turns), "changes of speaker", "measured"),
        _metric("longest_monologue", None, "s", "unavailable"),
        _metric("pace", None, "words/min", "unavailable"),
        _metric("patience", None, "s", "unavailable"),
    ]


def _metric(
    name: str, value: float | None, unit: str, label: Literal["measured", "estimated", "unavailable"]
) -> Metric:
    rounded = None if value is None else round(float(value), 3)
    return {
        "name": name,
        "value": rounded,
        "unit": unit,
        "label": label if rounded is not None else "unavailable",
        "band": BANDS.get(name),
    }


def _switches(turns: Sequence[Turn]) -> int:
    return sum(a["speaker"] != b["speaker"] for a, b in pairwise(turns))
