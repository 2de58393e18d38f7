"""Questions that go on from others, and several in one message, with each model."""

from __future__ import annotations

import pytest
from langchain_core.language_models import BaseChatModel

from nodes.scripts import SCRIPTS
from runtime.scripted import Line, ScriptedModel
from tests.fakes import context
from tests.play import Play

pytestmark = pytest.mark.anyio

FOLLOW_UPS = (
    ("Which discount is there for 30 seats on an annual contract?", "And for 60 seats?", "20 %"),
    ("What is the price per seat of the Team plan with monthly billing?", "And the Business plan?", "83"),
    ("团队版每个席位多少钱？", "那商务版呢？", "69"),
)


@pytest.mark.parametrize(("first", "then", "words"), FOLLOW_UPS)
async def test_a_question_goes_on_from_the_one_before(
    model: BaseChatModel, first: str, then: str, words: str
) -> None:
    """The rep does not say everything again in the middle of a call."""
    play = Play("rag", context(model))
    await play.say(first)
    heard = await play.say(then)
    assert words in heard.text
    assert any(words in citation["quote"] for citation in heard.named("citation"))


async def test_a_question_goes_on_in_the_middle_of_a_call(model: BaseChatModel) -> None:
    """Through the front door too, although the buyer spoke in between."""
    play = Play("assistant", context(model))
    await play.say("Let's practise")
    await play.say("/ask Which discount is there for 30 seats on an annual contract?")
    await play.say("Good morning, this is Ana from Brightloom.")
    assert "20 %" in (await play.say("/ask And for 60 seats?")).text


async def test_several_questions_are_answered_together(model: BaseChatModel) -> None:
    """Each with its own citation, in one answer."""
    play = Play("rag", context(model))
    heard = await play.say(
        "What does Harborline charge for onboarding, and what is the discount for 3 years?"
    )
    state = await play.state()
    assert [part["answered"] for part in state["parts"]] == [True, True]
    assert "4,000" in heard.text and "10 %" in heard.text
    assert {c["document"] for c in state["citations"]} >= {"battlecard.pdf", "discounts.xlsx"}


@pytest.mark.parametrize(
    ("question", "known", "unknown"),
    [
        (
            "What does Harborline charge for onboarding, and who is the CEO of Loomdesk?",
            "4,000",
            "The playbook does not say: who is the CEO of Loomdesk?",
        ),
        ("团队版每个席位多少钱？法国的首都是哪里？", "39", "资料里没有提到：法国的首都是哪里？"),
    ],
)
async def test_the_part_that_is_not_known_is_named(
    model: BaseChatModel, question: str, known: str, unknown: str
) -> None:
    """Half an answer that does not say so is taken for a whole one."""
    play = Play("rag", context(model))
    heard = await play.say(question)
    state = await play.state()
    assert known in heard.text and unknown in heard.text
    assert [part["answered"] for part in state["parts"]] == [True, False]
    assert state["citations"] and heard.named("verification")[0]["unsupported"] == []


async def test_at_most_three_questions_are_looked_up() -> None:
    """A model that splits without end would search without end."""
    many = [f"What does Harborline charge for onboarding number {n}?" for n in range(9)]
    scripts = {**SCRIPTS, "plan": lambda scene: Line(structured={"search": True, "questions": many})}
    play = Play("rag", context(ScriptedModel(scripts=scripts)))
    await play.say("Everything about onboarding, and also about the rest")
    assert len((await play.state())["parts"]) == 3
