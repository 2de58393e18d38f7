"""Questions to the playbook, with each model."""

from __future__ import annotations

import pytest
from langchain_core.language_models import BaseChatModel

from nodes.scripts import SCRIPTS
from runtime.errors import InvalidInput
from runtime.narrowing import ANYTHING, Filters
from runtime.passage import Passage
from runtime.scripted import Line, Scene, ScriptedModel
from tests.fakes import context, search, stands
from tests.play import Heard, Play

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


def asked_of(heard: Heard, name: str) -> list[dict[str, object]]:
    """Custom events of that name, without it."""
    return [{key: value for key, value in event.items() if key != "name"} for event in heard.named(name)]


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
    assert state["citations"] == asked_of(heard, "citation")
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
    assert not state["grade"]["answerable"]


async def test_an_empty_question_is_refused(model: BaseChatModel) -> None:
    """And the thread answers the next one."""
    play = Play("rag", context(model))
    for text in ("", "  ", "/ask "):
        with pytest.raises(InvalidInput, match="empty"):
            await play.say(text)
    assert "4,000" in (await play.say("/ask What does Harborline charge for onboarding?")).text


@pytest.mark.parametrize(("greeting", "words"), [("Hello", "Ask me"), ("谢谢", "我来查")])
async def test_a_greeting_is_not_looked_up(model: BaseChatModel, greeting: str, words: str) -> None:
    """Nobody waits for a search to be thanked back."""
    queries: list[str] = []

    async def find(query: str, *, limit: int = 5, filters: Filters = ANYTHING) -> list[Passage]:
        queries.append(query)
        return []

    heard = await Play("rag", context(model, find)).say(greeting)
    assert words in heard.text and queries == []


async def test_a_fact_is_looked_up_whatever_the_model_says() -> None:
    """A model that takes a question for small talk would answer it from memory."""
    scripts = {**SCRIPTS, "plan": lambda scene: Line(structured={"search": False, "questions": []})}
    play = Play("rag", context(ScriptedModel(scripts=scripts)))
    heard = await play.say("Hello, what does Harborline charge for onboarding?")
    assert "4,000" in heard.text and heard.named("citation")


async def test_a_plain_first_question_costs_no_call_to_plan_it() -> None:
    """The model could only give back the same words while a rep waits."""
    tasks: list[str] = []

    def noted(task: str, scene: Scene) -> Line:
        tasks.append(task)
        return SCRIPTS[task](scene)

    scripts = {task: (lambda scene, task=task: noted(task, scene)) for task in SCRIPTS}
    play = Play("rag", context(ScriptedModel(scripts=scripts)))
    await play.say("What does Harborline charge for onboarding?")
    assert tasks == ["grade", "answer"]
    await play.say("And how long is the contract?")
    assert tasks[2] == "plan"


async def test_a_plan_that_is_no_plan_leaves_the_question_as_it_is() -> None:
    """Prose in the place of the structure, twice, must not cost the rep the answer."""
    scripts = {**SCRIPTS, "plan": lambda scene: Line("Sure, let me think.")}
    play = Play("rag", context(ScriptedModel(scripts=scripts)))
    heard = await play.say("Tell me what Harborline charges for onboarding")
    assert "4,000" in heard.text


async def test_what_is_not_found_is_searched_for_once_more_and_no_more() -> None:
    """With other words and a higher limit; a third round would be a loop."""
    asked: list[tuple[str, int]] = []

    async def find(query: str, *, limit: int = 5, filters: Filters = ANYTHING) -> list[Passage]:
        asked.append((query, limit))
        return []

    play = Play("rag", context(ScriptedModel(scripts=SCRIPTS), find))
    heard = await play.say("Who may waive the onboarding fee?")
    assert heard.text == "The playbook does not say anything about that."
    first, *wider = asked
    assert first[0] == "Who may waive the onboarding fee?" and wider
    assert {limit for _, limit in wider} != {first[1]} and min(limit for _, limit in wider) > first[1]
    assert any("上线" in query for query, _ in wider)
    assert (await play.state())["rounds"] == 2


async def test_other_words_find_what_the_first_search_did_not() -> None:
    """The second round answers, from what only its wording finds."""
    scripts = {**SCRIPTS, "reword": lambda scene: Line(structured={"queries": ["Harborline onboarding"]})}

    async def find(query: str, *, limit: int = 5, filters: Filters = ANYTHING) -> list[Passage]:
        return list(await search(query, limit=limit)) if query == "Harborline onboarding" else []

    play = Play("rag", context(ScriptedModel(scripts=scripts), find))
    heard = await play.say("What does Harborline charge for onboarding?")
    assert "4,000" in heard.text and heard.named("citation")


async def test_numbers_of_passages_that_do_not_exist_are_dropped() -> None:
    """A sloppy model's [9] points nowhere, and must not become a citation."""
    part = {"question": 1, "answerable": True, "relevant": [9, 1, 1], "nearest": 12}
    scripts = {
        **SCRIPTS,
        "grade": lambda scene: Line(structured={"parts": [part, {**part, "question": 7}]}),
        "answer": lambda scene: Line("Harborline charges 4,000 dollars for onboarding. [9]"),
    }
    play = Play("rag", context(ScriptedModel(scripts=scripts)))
    heard = await play.say("What does Harborline charge for onboarding?")
    state = await play.state()
    assert len(state["sources"]) == 1 and state["citations"] == []
    assert heard.named("verification")[0]["unsupported"]
