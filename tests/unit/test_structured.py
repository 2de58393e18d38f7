"""Structured output: what fits is read, what does not is an error that repeats no text of the answer."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage
from pydantic import BaseModel

from runtime.errors import ModelOutputInvalid
from runtime.structured import pydantic_class, read_as


class Grade(BaseModel):
    score: int
    why: str


def test_content_blocks_are_read_like_text() -> None:
    """A streamed answer arrives as blocks, an unstreamed one as a string."""
    blocks = AIMessage([{"type": "text", "text": '{"score": 4, '}, {"type": "text", "text": '"why": "好"}'}])
    assert read_as(Grade).invoke(blocks) == Grade(score=4, why="好")


@pytest.mark.parametrize("text", ["", "secret words", '{"score": "secret words"}'])
def test_an_answer_that_does_not_fit_names_its_faults_only(text: str) -> None:
    """The conversation must reach neither a client nor a log by way of an error."""
    answer = AIMessage(text, response_metadata={"model_name": "some-model"})
    with pytest.raises(ModelOutputInvalid, match="'some-model' does not fit Grade") as caught:
        read_as(Grade).invoke(answer)
    assert caught.value.details["faults"]
    assert "secret" not in f"{caught.value!r} {caught.value.details}"


def test_an_answer_cut_off_at_the_limit_says_so() -> None:
    """The remedy is another one: a higher limit, not another prompt."""
    answer = AIMessage('{"score": 4, "wh', response_metadata={"finish_reason": "length"})
    with pytest.raises(ModelOutputInvalid, match="token limit"):
        read_as(Grade).invoke(answer)


@pytest.mark.parametrize(
    ("schema", "include_raw"), [({"type": "object"}, False), (dict, False), (Grade, True)]
)
def test_other_wishes_are_refused(schema: object, include_raw: bool) -> None:
    """What one of the two models could not give, neither gives."""
    with pytest.raises(TypeError, match="pydantic class"):
        pydantic_class(schema, include_raw)
