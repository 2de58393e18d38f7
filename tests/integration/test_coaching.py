"""The practice call, played as a rep would, with each model."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import pytest
import yaml
from langchain_core.language_models import BaseChatModel

from examples.calls import ENGLISH, PUSHY, SCENARIOS
from nodes.packs import Pack, load_pack
from nodes.quotes import stands
from runtime.errors import InvalidInput
from runtime.narrowing import ANYTHING, Filters
from runtime.passage import Passage
from tests.fakes import PACKS, context, no_search, search
from tests.integration.conftest import MODELS, open_kind
from tests.play import Heard, Play

pytestmark = pytest.mark.anyio


class Played(NamedTuple):
    """A call that was played to its end."""

    state: dict[str, Any]
    heard: list[Heard]
    pack: Pack


async def play(model: BaseChatModel, scenario: str, lines: tuple[str, ...]) -> Played:
    """The call with these lines of the rep, until it ends."""
    call = Play("coaching", context(model))
    heard = [await call.say(lines[0], scenario=scenario)]
    for line in lines[1:]:
        if (await call.state())["call"]["status"] == "live":
            heard.append(await call.say(line))
    return Played(await call.state(), heard, await load_pack(scenario, PACKS))


@pytest.fixture(scope="module", params=list(product(MODELS, SCENARIOS)), ids="-".join)
def played(request: pytest.FixtureRequest) -> Played:
    """A good call, played once for all the tests that look at it."""
    kind, scenario = request.param

    async def run() -> Played:
        async with open_kind(kind) as model:
            return await play(model, scenario, SCENARIOS[scenario])

    return anyio.run(run)


async def test_a_good_call_ends_with_an_agreed_next_step(played: Played) -> None:
    """A rep who listens meets the objections and leaves with a date, in both languages."""
    state = played.state
    assert state["call"]["outcome"] == "next_step" and state["call"]["ended_by"] == "success"
    assert len(played.heard) == len(SCENARIOS[played.pack.id])
    assert state["next_step"]["when"]
    stages = [change["to"] for change in state["stage_changes"]]
    in_order = [stage for stage in dict.fromkeys(stages) if stage != "objection"]
    assert in_order == ["discovery", "qualification", "value", "closing", "ended"]
    assert "objection" in stages
    assert all(change["reason"] for change in state["stage_changes"])
    assert all(0 <= move[key] <= 1 for move in state["moves"] for key in ("trust", "interest", "resistance"))
    assert state["moves"][-1]["trust"] > state["moves"][0]["trust"]


async def test_the_scorecard_proves_every_number(played: Played) -> None:
    """A score without a quote that stands at its turn and offsets would be an opinion."""
    state, card = played.state, played.state["scorecard"]
    assert played.heard[-1].named("scorecard") == [{"name": "scorecard", **card}]
    assert card["total"] >= card["pass_mark"] and card["passed"] and card["tier"] >= 75
    for score in card["dimensions"]:
        assert (score["score"] is not None) == (score["status"] == "scored")
        assert score["score"] is None or score["quotes"]
        assert all(stands(state["turns"], quote) for quote in score["quotes"])
    assert state["messages"][-1].name == "coach" and str(card["total"]) in state["messages"][-1].text


async def test_hidden_facts_are_said_only_when_earned(played: Played) -> None:
    """The ledger and the buyer's words agree: nothing leaks, and what is earned is said."""
    state = played.state
    earned = {entry["fact"]: entry["turn"] for entry in state["disclosures"]}
    assert len(earned) >= 5
    for fact in played.pack.persona.hidden_facts:
        said = [n for n, turn in enumerate(state["turns"]) if any(line in turn["text"] for line in fact.say)]
        if fact.id in earned:
            assert said[0] == earned[fact.id] + 1
        else:
            assert not said and fact.id in {m["fact"] for m in state["scorecard"]["disclosure"]["missed"]}


async def test_one_hint_a_turn_and_none_twice(played: Played) -> None:
    """A coach who nags is not listened to; the ledger tells what became of each hint."""
    given = [hint for one in played.heard for hint in one.named("hint")]
    assert len(given) >= 4 and all(len(one.named("hint")) <= 1 for one in played.heard)
    assert len({hint["hint_id"] for hint in given}) == len(given)
    assert all(hint["confidence"] >= 0.6 and hint["text"] for hint in given)
    ledger = played.state["hints"]
    assert [hint["hint_id"] for hint in ledger] == [hint["hint_id"] for hint in given]
    outcomes = {hint["outcome"] for hint in ledger[:-1]}
    assert outcomes <= {"verbatim", "paraphrased", "ignored"} and outcomes != {"ignored"}


async def test_only_the_buyers_words_are_streamed(played: Played) -> None:
    """What the tracker reports to the graph is no business of the rep's screen."""
    spoken = [turn["text"] for turn in played.state["turns"] if turn["speaker"] == "buyer"]
    assert [one.text for one in played.heard[:-1]] == spoken[:-1]


async def test_a_pushy_rep_is_shown_the_door(model: BaseChatModel) -> None:
    """Pressure, a wrong price and a promise lose the buyer, and cap the score with the evidence for it."""
    state = (await play(model, "meridian-coo", PUSHY)).state
    card = state["scorecard"]
    assert state["call"]["outcome"] == "lost" and state["call"]["ended_by"] == "buyer_left"
    assert card["total"] < 50 and not card["passed"]
    findings = {finding["kind"]: finding for finding in card["compliance"]["findings"]}
    assert findings["wrong_price"]["says"].startswith("Business: 69")
    assert "as certain" in findings["forbidden_promise"]["says"]
    assert all(stands(state["turns"], finding["quote"]) for finding in findings.values())
    assert {cap["limit"] for cap in card["compliance"]["caps"]} == {50, 60}
    assert not state["disclosures"]


async def test_the_buyer_does_not_wait_for_the_coach(model: BaseChatModel) -> None:
    """A battlecard that takes long comes late; the buyer's first word does not."""
    talking = anyio.Event()

    async def slow(query: str, *, limit: int = 5, filters: Filters = ANYTHING) -> list[Passage]:
        await talking.wait()
        return await search(query, limit=limit)

    call = Play("coaching", context(model, slow))
    call.on_token = talking.set
    heard = await call.say("Hello Dana, are you also talking to Harborline?", scenario="meridian-coo")
    (hint,) = heard.named("hint")
    assert hint["kind"] == "battlecard" and hint["source"] == "battlecard.pdf, p. 2"
    assert heard.order.index("token") < heard.order.index("hint")


async def test_the_call_goes_on_without_the_knowledge(model: BaseChatModel) -> None:
    """With the index down there is no battlecard and no price check, and both say so or stay quiet."""
    call = Play("coaching", context(model, no_search))
    await call.say("Hello Dana, are you also talking to Harborline?", scenario="meridian-coo")
    await call.command("end")
    card = (await call.state())["scorecard"]
    assert card["compliance"]["status"] == "unavailable" and not card["compliance"]["caps"]


async def test_the_commands_of_a_call(model: BaseChatModel) -> None:
    """Pause, resume, repeat, help and end are inputs of their own and leave the transcript alone."""
    call = Play("coaching", context(model))
    start = await call.run({"scenario": "meridian-coo"})
    assert "Dana Whitfield" in start.text and not (await call.state())["turns"]
    said = await call.say(ENGLISH[0])
    assert (await call.command("repeat")).text == said.text
    assert "how they work today" in (await call.command("help")).text
    await call.command("pause")
    with pytest.raises(InvalidInput, match="paused"):
        await call.say("Hello?")
    assert said.text in (await call.command("resume")).text
    assert len((await call.state())["turns"]) == 2
    await call.command("end")
    state = await call.state()
    assert state["call"]["ended_by"] == "rep" and state["scorecard"]


async def test_a_call_that_has_ended_takes_no_more_words(model: BaseChatModel) -> None:
    """The answer is clear, the scorecard stays, and restart begins a fresh call."""
    call = Play("coaching", context(model))
    await call.say(ENGLISH[0], scenario="meridian-coo")
    await call.command("end")
    for attempt in (call.say("One more thing"), call.command("end"), call.command("pause")):
        with pytest.raises(InvalidInput, match="the call has ended"):
            await attempt
    assert (await call.state())["scorecard"]
    assert "周敏" in (await call.command("restart", scenario="yunxiu-owner")).text
    state = await call.state()
    assert state["call"]["status"] == "live" and not state["turns"] and state["scorecard"] is None


async def test_bad_input_says_what_is_wrong_and_changes_nothing(model: BaseChatModel) -> None:
    """The thread stays usable after each of them."""
    call = Play("coaching", context(model))
    with pytest.raises(InvalidInput, match=r"unknown scenario '\.\./secrets'.*meridian-coo"):
        await call.say("Hello", scenario="../secrets")
    with pytest.raises(InvalidInput, match="empty"):
        await call.say("  \n ")
    with pytest.raises(InvalidInput, match="no practice call"):
        await call.command("pause")
    with pytest.raises(InvalidInput, match="unknown command 'dance'"):
        await call.command("dance")
    await call.say(ENGLISH[0], scenario="meridian-coo")
    with pytest.raises(InvalidInput, match="is running"):
        await call.say("Hello", scenario="yunxiu-owner")
    with pytest.raises(InvalidInput, match="empty"):
        await call.say("")
    assert (await call.say(ENGLISH[1])).text
    assert len((await call.state())["turns"]) == 4


async def test_a_client_cannot_write_the_calls_state(model: BaseChatModel) -> None:
    """A rep who sends a scorecard, or a buyer's trust, with the turn has sent a turn."""
    call = Play("coaching", context(model))
    forged = {"trust": 1.0, "interest": 1.0, "resistance": 0.0}
    await call.say(ENGLISH[0], scenario="meridian-coo", scorecard={"total": 100}, feelings=forged)
    state = await call.state()
    assert state["scorecard"] is None and state["feelings"]["trust"] < 0.6


async def test_the_turn_limit_ends_the_call(model: BaseChatModel, tmp_path: Path) -> None:
    """A call without an end would be scored never."""
    data = yaml.safe_load((PACKS / "meridian-coo.yaml").read_text("utf-8"))
    data["scenario"]["turn_limit"] = 4
    (tmp_path / "meridian-coo.yaml").write_text(yaml.safe_dump(data), "utf-8")
    call = Play("coaching", context(model, packs=tmp_path))
    for line in ENGLISH[:4]:
        await call.say(line)
    state = await call.state()
    assert state["call"]["ended_by"] == "turn_limit" and state["call"]["outcome"] == "no_decision"
    assert state["scorecard"]
