"""What a rep hears when the knowledge is down, slow or empty, and what the model's window lets in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AnyMessage
from langgraph.types import interrupt

from compose import Installation, open_installation
from nodes.scripts import SCRIPTS
from runtime.errors import KnowledgeUnavailable
from runtime.keys import thread_key
from runtime.narrowing import ANYTHING, Filters
from runtime.passage import Passage
from runtime.redis import connect
from runtime.remote import answering
from runtime.run_request import RunParams
from runtime.scripted import Line, Scene, ScriptedModel
from runtime.settings import load
from runtime.waiting import settled
from tests.fakes import context, no_search, passages, search
from tests.knowledge import put, written
from tests.place import ANA
from tests.play import Play

pytestmark = pytest.mark.anyio

PRICE = "What does the Team plan cost?"
PRICES = written("prices.md", "# Prices", "The Team plan costs 39 dollars for each seat.")
UNREACHED = "I cannot reach the playbook right now, so I will not guess; please ask again in a moment."
NOTHING = "The playbook does not say anything about that."


async def told(place: Installation, question: str = PRICE, thread: str = "call") -> str:
    """What a worker's run of the graph leaves in the thread; the run ended well, and nothing is pending."""
    params = RunParams(assistant_id="rag", input={"messages": [{"role": "user", "content": question}]})
    begun = await place.engine.commands.start(ANA, thread, params)
    run = await settled(place.engine, thread_key(ANA.tenant, thread), begun.run_id, within_s=60)
    state = await place.engine.state.get(ANA, await place.engine.threads.own(ANA, thread))
    assert run and state and (run.status, run.error, list(state.next)) == ("success", "", [])
    messages: list[AnyMessage] = state.values["messages"]
    asked = max(number for number, message in enumerate(messages) if message.type == "human")
    (answer,) = messages[asked + 1 :]
    return answer.text


async def test_an_index_whose_owner_is_gone(tmp_path: Path, redis_url: str) -> None:
    """The rep is told in one sentence, and the same thread goes on as soon as a process owns it again."""
    settings = load(data_dir=tmp_path / "data", redis_url=redis_url, search_timeout_s=1)
    async with open_installation(settings, own_index=False, work=True) as worker:
        async with open_installation(settings, own_index=True, work=False) as owner:
            assert owner.knowledge.owned
            await put(owner.knowledge.owned, ANA.tenant, PRICES)
            assert "39 dollars" in await told(worker)
        assert await told(worker) == UNREACHED
        async with open_installation(settings, own_index=True, work=False):
            assert "39 dollars" in await told(worker)


async def test_an_owner_that_does_not_answer_in_time(tmp_path: Path, redis_url: str) -> None:
    """Through the queue as in process: a search that takes longer than it may is given up once, not twice."""
    searched = 0

    async def search_forever(**_: Any) -> None:
        nonlocal searched
        searched += 1
        await anyio.sleep_forever()

    settings = load(data_dir=tmp_path / "data", redis_url=redis_url, search_timeout_s=0.3)
    async with (
        connect(redis_url, timeout_s=None) as client,
        answering(client, {"search": search_forever}),
        open_installation(settings, own_index=False, work=True) as worker,
    ):
        assert await told(worker) == UNREACHED
        assert searched == 1


async def test_an_index_that_holds_nothing_yet(tmp_path: Path) -> None:
    """Not the words of one that is down; what is ingested meanwhile is found by the next question."""
    settings = load(data_dir=tmp_path / "data")
    async with open_installation(settings, own_index=True, work=True) as place:
        assert place.knowledge.owned
        assert await told(place) == NOTHING
        await put(place.knowledge.owned, ANA.tenant, PRICES)
        assert "39 dollars" in await told(place)


async def test_without_the_knowledge_the_answer_says_so(model: BaseChatModel) -> None:
    """The run ends well, and nothing is made up."""
    play = Play("rag", context(model, no_search))
    assert "cannot reach" in (await play.say(PRICE)).text
    assert "无法访问" in (await play.say("团队版多少钱？")).text
    state = await play.state()
    assert state["citations"] == [] and state["knowledge"] == "unavailable"


async def test_a_search_that_does_not_answer_is_given_up() -> None:
    """A rep in a call is told so rather than left to wait."""

    async def never(query: str, *, limit: int = 5, filters: Filters = ANYTHING) -> list[Passage]:
        await anyio.sleep_forever()
        return []

    slow = replace(context(ScriptedModel(scripts=SCRIPTS), never), search_timeout_s=0.01)
    play = Play("rag", slow)
    with anyio.fail_after(10):
        assert "cannot reach" in (await play.say(PRICE)).text
    assert (await play.state())["rounds"] == 1


async def test_empty_knowledge_does_not_say() -> None:
    """Not the words of knowledge that is down: to ask again would not help."""

    async def nothing(query: str, *, limit: int = 5, filters: Filters = ANYTHING) -> list[Passage]:
        return []

    heard = await Play("rag", context(ScriptedModel(scripts=SCRIPTS), nothing)).say(PRICE)
    assert heard.text == NOTHING
    assert heard.named("citation") == []


async def test_knowledge_that_fails_halfway_leaves_what_was_found() -> None:
    """What was answered stands; the rest is called not looked up, which is not the same as not known."""
    calls = 0

    async def failing(query: str, *, limit: int = 5, filters: Filters = ANYTHING) -> list[Passage]:
        nonlocal calls
        calls += 1
        if calls > 2:
            raise KnowledgeUnavailable
        return await search(query, limit=limit)

    play = Play("rag", context(ScriptedModel(scripts=SCRIPTS), failing))
    heard = await play.say("What does Harborline charge for onboarding, and who won the 1998 world cup?")
    assert "4,000" in heard.text
    assert "I could not look this up, so I will not guess: who won the 1998 world cup?" in heard.text


async def test_a_question_to_a_person_is_not_swallowed() -> None:
    """Each of two searches at once may pause the run, and goes on with the answer."""

    async def asking(query: str, *, limit: int = 5, filters: Filters = ANYTHING) -> list[Passage]:
        assert interrupt("May the archive be searched?") == "yes"
        return await search(query, limit=limit)

    play = Play("rag", context(ScriptedModel(scripts=SCRIPTS), asking))
    heard = await play.say(
        "What does Harborline charge for onboarding, and what is the discount for 3 years?"
    )
    asked = 0
    while (await play.graph.aget_state(play.config)).interrupts:
        asked += 1
        heard = await play.answer("yes")
    assert asked == 2 and "4,000" in heard.text and "10 %" in heard.text


async def test_passages_fit_the_window_best_first() -> None:
    """More than the model reads is left out, from the end; one passage comes always."""
    shown: list[list[str]] = []

    def grade(scene: Scene) -> Line:
        assert scene.brief
        shown.append([passage["document"] for passage in scene.brief.facts["passages"]])
        return SCRIPTS["grade"](scene)

    async def find(query: str, *, limit: int = 5, filters: Filters = ANYTHING) -> list[Passage]:
        found = sorted(passages(), key=lambda passage: passage.document)[:3]
        return [replace(passage, tokens=tokens) for passage, tokens in zip(found, (90, 80, 20), strict=True)]

    model = ScriptedModel(scripts={**SCRIPTS, "grade": grade})
    for budget, count in ((1_000, 3), (110, 2), (89, 1), (10, 1)):
        await Play("rag", replace(context(model, find), passage_tokens=budget)).say(
            "What does Harborline charge for onboarding?"
        )
        assert len(shown[0]) == count and shown[0][0] == "battlecard.pdf"
        shown.clear()


async def test_no_parent_comes_twice() -> None:
    """Two questions that find the same parent pay for it once."""
    counts: list[int] = []

    def grade(scene: Scene) -> Line:
        assert scene.brief
        texts = [passage["text"] for passage in scene.brief.facts["passages"]]
        counts.append(len(texts) - len(set(texts)))
        return SCRIPTS["grade"](scene)

    model = ScriptedModel(scripts={**SCRIPTS, "grade": grade})
    await Play("rag", context(model)).say(
        "What does Harborline charge for onboarding, and where does Harborline store data?"
    )
    assert counts and set(counts) == {0}
