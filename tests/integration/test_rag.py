"""Questions to the playbook, with each model."""

from __future__ import annotations

import pytest
from langchain_core.language_models import BaseChatModel

from nodes.scripts import SCRIPTS
from runtime.errors import InvalidInput
from runtime.scripted import Line, ScriptedModel
from tests.fakes import context, no_search, stands
from tests.play import Play

pytestmark = pytest.mark.anyio

ANSWERED = (
    ("What does Harborline charge for onboarding?", "4,000", "battlecard.pdf, p. 2"),
    (
        "What is the price per seat of the Business plan with monthly billing?",
        "83",
        "price-list.xlsx, Plans!A1:E7",
    ),
    (
        "Which discount is there for 30 seats on an annual contract?",
        "5 %",
        "discounts.xlsx, Discounts!A1:B12",
    ),
    ("团队版每个席位多少钱？", "39", "guide.zh.md, 价格"),
    ("Harborline 的上线费用是多少？", "4,000", "battlecard.pdf, p. 2"),
)
REFUSED = (
    "Who won the 1998 world cup?",
    "What is the CEO's home address?",
    "How do I bake sourdough bread?",
    "法国的首都是哪里？",
)


@pytest.mark.parametrize(("question", "words", "locator"), ANSWERED)
async def test_an_answer_cites_the_words_that_bear_it_out(
    model: BaseChatModel, question: str, words: str, locator: str
) -> None:
    """Each citation names the file and the place, and its quote stands there."""
    play = Play("rag", context(model))
    heard = await play.say(question)
    state = await play.state()
    assert heard.text == state["messages"][-1].text and "[1]" in heard.text
    assert words in heard.text
    assert state["citations"] == [
        {key: value for key, value in event.items() if key != "name"} for event in heard.named("citation")
    ]
    assert all(stands(citation) for citation in state["citations"])
    assert any(words in c["quote"] and c["locator"] == locator for c in state["citations"])
    assert heard.named("verification") == [{"name": "verification", "unsupported": []}]


@pytest.mark.parametrize("question", REFUSED)
async def test_what_the_playbook_does_not_say_is_not_answered(model: BaseChatModel, question: str) -> None:
    """A rep who repeats an invented answer loses the deal."""
    play = Play("rag", context(model))
    heard = await play.say(question)
    state = await play.state()
    assert heard.text.startswith(("The playbook does not", "资料里没有"))
    assert all(stands(citation) for citation in state["citations"])
    assert not state["grade"].get("answerable")


async def test_without_the_knowledge_the_answer_says_so(model: BaseChatModel) -> None:
    """The run ends well, and nothing is made up."""
    play = Play("rag", context(model, no_search))
    assert "cannot reach" in (await play.say("What does the Team plan cost?")).text
    assert "无法访问" in (await play.say("团队版多少钱？")).text
    assert (await play.state())["citations"] == []


async def test_an_empty_question_is_refused(model: BaseChatModel) -> None:
    """And the thread answers the next one."""
    play = Play("rag", context(model))
    for text in ("", "  ", "/ask "):
        with pytest.raises(InvalidInput, match="empty"):
            await play.say(text)
    assert "4,000" in (await play.say("/ask What does Harborline charge for onboarding?")).text


async def test_a_sentence_without_proof_is_called_out() -> None:
    """A model that adds a figure of its own is corrected in front of the rep."""
    told = "Harborline charges 4,000 dollars for onboarding. [1] Its customers pay 99,000 dollars a year. [1]"
    lying = ScriptedModel(scripts={**SCRIPTS, "answer": lambda scene: Line(told)})
    play = Play("rag", context(lying))
    heard = await play.say("What does Harborline charge for onboarding?")
    (verified,) = heard.named("verification")
    assert verified["unsupported"] == ["Its customers pay 99,000 dollars a year"]
    assert "does not bear this out" in heard.text
    assert (await play.state())["unsupported"] == verified["unsupported"]


async def test_numbers_of_passages_that_do_not_exist_are_dropped() -> None:
    """A sloppy model's [9] points nowhere, and must not become a citation."""
    scripts = {
        **SCRIPTS,
        "grade": lambda scene: Line(structured={"answerable": True, "relevant": [9, 1, 1], "nearest": 12}),
        "answer": lambda scene: Line("Harborline charges 4,000 dollars for onboarding. [9]"),
    }
    play = Play("rag", context(ScriptedModel(scripts=scripts)))
    heard = await play.say("What does Harborline charge for onboarding?")
    state = await play.state()
    assert len(state["sources"]) == 1 and state["citations"] == []
    assert heard.named("verification")[0]["unsupported"]
