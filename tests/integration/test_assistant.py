"""The front door, with each model."""

from __future__ import annotations

import pytest
from langchain_core.language_models import BaseChatModel

from examples.calls import CHINESE, ENGLISH
from runtime.errors import InvalidInput
from tests.fakes import context
from tests.play import Play

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("What does Harborline charge for onboarding?", "rag"),
        ("团队版每个席位多少钱？", "rag"),
        ("Quote the Team plan for 30 seats", "tool_calling"),
        ("团队版 30 个席位多少钱？", "tool_calling"),
        ("Book a follow-up with Dana on Friday", "tool_calling"),
        ("I'd like to practise a call", "coaching"),
        ("我想练习一次通话", "coaching"),
    ],
)
async def test_a_message_goes_where_it_belongs(model: BaseChatModel, text: str, where: str) -> None:
    """In both languages."""
    play = Play("assistant", context(model))
    await play.say(text)
    assert (await play.state())["route"] == where


async def test_a_call_goes_on_around_questions_and_tools(model: BaseChatModel) -> None:
    """The call lives through answers, tools, an approval and a pause; its transcript holds only itself."""
    play = Play("assistant", context(model))
    assert "Dana Whitfield" in (await play.say("Let's practise")).text
    await play.say(ENGLISH[0])
    asked = await play.say("/ask What does Harborline charge for onboarding?")
    assert "4,000" in asked.text and asked.named("citation")
    await play.say("/do book a follow-up with Dana on Friday at 9 about pricing")
    assert len((await play.graph.aget_state(play.config)).interrupts) == 1
    assert "Friday at 9" in (await play.answer({"approved": True})).text
    assert len(await play.store.asearch(("acme", "ana", "follow_ups"))) == 1
    await play.command("pause")
    assert "69" in (await play.say("What is the price per seat of Business on an annual contract?")).text
    await play.command("resume")
    assert "Thirty-four agents" in (await play.say(ENGLISH[1])).text
    state = await play.state()
    assert [turn["text"] for turn in state["turns"] if turn["speaker"] == "rep"] == list(ENGLISH[:2])
    ended = await play.command("end")
    assert ended.named("scorecard") and (await play.state())["scorecard"]
    assert "4,000" in (await play.say("What does Harborline charge for onboarding?")).text


async def test_a_call_can_be_chosen_by_name(model: BaseChatModel) -> None:
    """By the words of the rep, or by the input."""
    play = Play("assistant", context(model))
    assert "周敏" in (await play.say("练习 yunxiu-owner")).text
    await play.say(CHINESE[0])
    assert (await play.state())["call"]["language"] == "zh"
    other = Play("assistant", context(model))
    await other.say(CHINESE[0], scenario="yunxiu-owner")
    assert len((await other.state())["turns"]) == 2


async def test_an_empty_message_is_refused(model: BaseChatModel) -> None:
    """Wherever it would have gone."""
    play = Play("assistant", context(model))
    with pytest.raises(InvalidInput, match="empty"):
        await play.say(" ")
