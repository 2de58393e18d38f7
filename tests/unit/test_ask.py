"""Structured answers from models that do not always give one."""

from __future__ import annotations

import pytest
from langchain_core.messages import BaseMessage

from nodes.ask import ask
from nodes.grading import PartGrade
from runtime.brief import write_brief
from runtime.errors import ModelOutputInvalid
from runtime.scripted import Line, Scene, ScriptedModel

pytestmark = pytest.mark.anyio

GOOD = {"question": 1, "answerable": True, "relevant": [1], "nearest": 1}
PROMPT: list[BaseMessage] = [write_brief("grade", "Grade.", question="?")]


async def test_a_misfit_is_sent_back_once() -> None:
    """The model is told which field was wrong, and its second answer counts."""
    prompts: list[str] = []

    def script(scene: Scene) -> Line:
        prompts.append(scene.messages[-1].text)
        return Line(structured=GOOD if len(prompts) > 1 else {**GOOD, "nearest": "the first"})

    answer = await ask(ScriptedModel(scripts={"grade": script}), PartGrade, PROMPT)
    assert answer.nearest == 1 and len(prompts) == 2 and "nearest" in prompts[1]


@pytest.mark.parametrize("line", [Line("Sure! Here it is"), Line(structured={**GOOD, "mood": "fine"})])
async def test_a_second_misfit_is_an_error(line: Line) -> None:
    """Two tries, never three; prose and unknown fields are misfits."""
    calls = 0

    def script(scene: Scene) -> Line:
        nonlocal calls
        calls += 1
        return line

    with pytest.raises(ModelOutputInvalid):
        await ask(ScriptedModel(scripts={"grade": script}), PartGrade, PROMPT)
    assert calls == 2
