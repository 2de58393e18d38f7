"""Tools that act for the rep, with each model."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import ToolCall

from nodes.scripts import SCRIPTS
from runtime.scripted import Line, ScriptedModel
from tests.fakes import context, no_search
from tests.play import Play

pytestmark = pytest.mark.anyio

BOOK = "Book a follow-up with Dana Whitfield on Thursday at 10 about the rollout plan"


async def booked(play: Play) -> list[dict[str, Any]]:
    return [item.value for item in await play.store.asearch(("acme", "ana", "follow_ups"))]


@pytest.mark.parametrize(
    ("request_", "figures"),
    [
        ("Quote the Team plan for 30 seats", ("13,338.00", "13,838.00")),
        ("团队版 30 个席位，签两年，多少钱？", ("12,636.00", "13,136.00")),
        ("Quote Business for 60 seats for 3 years", ("25 %", "37,260.00")),
        ("Quote Team with monthly billing for 12 seats", ("47", "6,768.00", "no discount")),
        ("How much is Enterprise for 10 seats?", ("50 seats", "too few")),
        ("Quote the Gold plan for 10 seats", ("no plan 'Gold'", "Starter, Team, Business, Enterprise")),
    ],
)
async def test_a_price_is_read_and_added_up_in_code(
    model: BaseChatModel, request_: str, figures: tuple[str, ...]
) -> None:
    """No figure comes from the model's head: 30 × 39 × 12 less 5 %, for one."""
    heard = await Play("tool_calling", context(model)).say(request_)
    assert all(figure in heard.text for figure in figures)


@pytest.mark.parametrize(
    "answer", [True, "yes", "好的", {"approved": True}, {"approved": True, "edit": None}]
)
async def test_a_follow_up_is_booked_once_it_is_approved(model: BaseChatModel, answer: Any) -> None:
    """Nothing is stored before the rep's yes, and one thing after it."""
    play = Play("tool_calling", context(model))
    await play.say(BOOK)
    (question,) = (await play.graph.aget_state(play.config)).interrupts
    assert question.value["args"] == {
        "with_whom": "Dana Whitfield",
        "when": "Thursday at 10",
        "about": "the rollout plan",
    }
    assert await booked(play) == []
    heard = await play.answer(answer)
    assert "Dana Whitfield" in heard.text and "Thursday at 10" in heard.text
    assert await booked(play) == [question.value["args"]]


@pytest.mark.parametrize("answer", [False, "no", "later", {"approved": False}, {"nonsense": 1}, None])
async def test_without_a_yes_nothing_is_booked(model: BaseChatModel, answer: Any) -> None:
    """Whatever is not an approval is a no."""
    play = Play("tool_calling", context(model))
    await play.say(BOOK)
    heard = await play.answer(answer if answer is not None else {"approved": None})
    assert "nothing was booked" in heard.text and await booked(play) == []


async def test_the_rep_may_change_what_is_booked(model: BaseChatModel) -> None:
    """The edit counts, and one that makes no sense books nothing."""
    play = Play("tool_calling", context(model))
    await play.say("和周敏约下周三上午十点聊报价")
    assert "下周四" in (await play.answer({"approved": True, "edit": {"when": "下周四"}})).text
    assert [one["when"] for one in await booked(play)] == ["下周四"]
    await play.say(BOOK)
    assert "not valid" in (await play.answer({"approved": True, "edit": {"when": ""}})).text
    assert len(await booked(play)) == 1


async def test_a_new_message_leaves_an_open_question_behind(model: BaseChatModel) -> None:
    """Endpoints refuse a history with a tool call nobody answered; the thread must not die of it."""
    play = Play("tool_calling", context(model))
    await play.say(BOOK)
    assert "13,338.00" in (await play.say("Quote the Team plan for 30 seats")).text
    assert await booked(play) == []


async def test_what_is_missing_is_asked_for(model: BaseChatModel) -> None:
    """A tool is not called with a guess."""
    assert "whom it is with" in (await Play("tool_calling", context(model)).say("Book a follow-up")).text


async def test_documents_are_searched_and_cited(model: BaseChatModel) -> None:
    """The answer comes from the passages, not the passages themselves."""
    heard = await Play("tool_calling", context(model)).say("What does Harborline charge for onboarding?")
    assert "4,000" in heard.text and "[1]" in heard.text and len(heard.text) < 400


@pytest.mark.parametrize("text", ["Quote the Team plan for 30 seats", "Where does Harborline store data?"])
async def test_a_tool_without_the_knowledge_says_so(model: BaseChatModel, text: str) -> None:
    """The model can act on it, so it is a result and no error."""
    assert "reached right now" in (await Play("tool_calling", context(model, no_search)).say(text)).text


async def test_the_loop_is_bounded() -> None:
    """A model that calls tools for ever is stopped by having none, not by the graph's limit."""
    calls = 0

    def again(scene: Any) -> Line:
        nonlocal calls
        calls += 1
        if not scene.tools:
            return Line("I give up.")
        call = ToolCall(name="search_documents", args={"query": "x"}, id=f"c{calls}", type="tool_call")
        return Line(tool_calls=[call])

    play = Play("tool_calling", context(ScriptedModel(scripts={**SCRIPTS, "": again})))
    assert (await play.say("Go")).text.endswith("I give up.")
    assert calls == 7


async def test_arguments_that_do_not_fit_go_back_to_the_model() -> None:
    """A real model sends seats as words; it is told, and tries again."""
    seen: list[str] = []

    def sloppy(scene: Any) -> Line:
        if scene.messages[-1].type == "tool":
            seen.append(scene.messages[-1].text)
            return Line("Which number of seats?")
        args = {"plan": "Team", "seats": "many", "term": "1 year"}
        return Line(tool_calls=[ToolCall(name="quote_price", args=args, id="c1", type="tool_call")])

    play = Play("tool_calling", context(ScriptedModel(scripts={**SCRIPTS, "": sloppy})))
    assert (await play.say("Price?")).text == "Which number of seats?"
    assert "seats" in seen[0] and "valid integer" in seen[0]
