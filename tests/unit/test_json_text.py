"""What JSON cannot carry is shown, and spoils nothing beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any
from uuid import UUID

import orjson
import pytest
from langchain_core.messages import AIMessage
from langgraph.types import Interrupt
from pydantic import BaseModel

from runtime.events import encode_json
from runtime.json_text import MAX_INPUT_LEVELS, MAX_LEVELS, is_too_deep

ODD = 2**64
"""An integer that makes orjson refuse the whole value."""


class Colour(Enum):
    RED = "red"


class Model(BaseModel):
    field: Any


class Unfilled:
    __slots__ = ("never",)


@dataclass
class Pair:
    left: Any
    _right: Any = 0


def nested(levels: int) -> Any:
    """So many arrays within each other."""
    value: Any = "core"
    for _ in range(levels):
        value = [value]
    return value


def written(value: Any) -> Any:
    return orjson.loads(encode_json(value))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({(1, 2): "a"}, {"(1, 2)": "a"}),
        ({ODD: ODD, -ODD: 1}, {str(ODD): str(ODD), str(-ODD): 1}),
        ({"half\ud83d": "pair\ud83d\ude00"}, {"half\ufffd": "pair😀"}),
        ([2**64 - 1, -(2**63), ODD], [2**64 - 1, -(2**63), str(ODD)]),
        ([10**5000], [hex(10**5000)]),
        ([Unfilled()], ["<Unfilled>"]),
    ],
)
def test_what_json_cannot_carry(value: Any, expected: Any) -> None:
    """Such values stand in a graph's state, and reading it must not fail."""
    assert written(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        [None, True, 1, 1.5, float("nan"), "text", (1, 2), {3}, []],
        {True: 1, None: 2, 3: 4, 1.5: 5, Colour.RED: 6, UUID(int=7): 8},
        [datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC), UUID(int=1), Colour.RED],
        [AIMessage("hi", id="m"), Model(field=1), Pair("l"), Interrupt("ask", id="i")],
    ],
)
def test_the_copy_reads_as_the_value_does(value: Any) -> None:
    """One odd value must not change the form of what stands beside it."""
    assert written({"value": value, "odd": ODD}) == {**written({"value": value}), "odd": str(ODD)}


def test_too_deep_is_cut() -> None:
    """The answer ends with a mark where LangGraph's state goes on."""
    found = written({"deep": nested(2_000), "beside": 1})
    assert found["beside"] == 1
    levels, value = 0, found["deep"]
    while isinstance(value, list):
        levels, value = levels + 1, value[0]
    assert (levels, value) == (MAX_LEVELS - 1, "…")


def test_a_circle_is_cut() -> None:
    """A value within itself would be copied for ever."""
    circle: dict[str, Any] = {"name": "a"}
    circle["self"] = [circle]
    assert written(circle) == {"name": "a", "self": ["…"]}


def test_levels_of_an_input() -> None:
    """What is let in can be written again, whatever stands around it."""
    assert not is_too_deep(nested(MAX_INPUT_LEVELS))
    assert is_too_deep(nested(MAX_INPUT_LEVELS + 1))
    assert is_too_deep(nested(900))
