"""The rule-based tracker."""

from __future__ import annotations

import pytest

from nodes.acts import is_question, observe
from nodes.cues import WHEN

NEEDS = (
    "After each weekend about 400 unanswered messages wait on Monday morning.",
    "晚上九点以后的咨询没人回",
)


@pytest.mark.parametrize(
    ("text", "form", "spin", "topic"),
    [
        ("Can you walk me through how your team handles mail today?", "open", "situation", "situation"),
        ("How many agents do you have?", "closed", "situation", "situation"),
        ("What is the most frustrating part of that?", "open", "problem", "pain"),
        ("What does that cost you when it happens?", "open", "implication", "impact"),
        ("If that were solved, what would it change for you?", "open", "need_payoff", "outcome"),
        ("What budget did you set aside?", "open", "none", "budget"),
        ("Who else needs to approve this?", "closed", "none", "decision_maker"),
        ("When would you need this in place?", "closed", "none", "timeline"),
        ("What matters most to you in the choice?", "open", "none", "criteria"),
        ("What other options are you comparing?", "open", "none", "competition"),
        ("Is now still a good time?", "closed", "none", "other"),
        ("目前客服团队有多少人？", "closed", "situation", "situation"),
        ("这当中最让您头疼的是什么？", "open", "problem", "pain"),
        ("这个问题对你们有什么影响", "open", "implication", "impact"),
        ("如果能自动分单，对您会有什么帮助？", "open", "need_payoff", "outcome"),
        ("预算大概是多少？", "closed", "none", "budget"),
        ("除了您，还有谁参与决定？", "closed", "none", "decision_maker"),
        ("你们希望什么时候上线？", "closed", "none", "timeline"),
        ("选型时您最看重什么？", "open", "none", "criteria"),
        ("你们还在对比其他家吗？", "closed", "none", "competition"),
    ],
)
def test_questions_are_told_apart(text: str, form: str, spin: str, topic: str) -> None:
    """Each kind of question opens another door in the buyer."""
    (question,) = observe(text).questions
    assert (question.form, question.spin, question.topic) == (form, spin, topic)
    assert question.quote == text


@pytest.mark.parametrize(
    "text", ["We work with many teams.", "That is good to know.", "这个很好。", "我们有很多客户。"]
)
def test_statements_are_no_questions(text: str) -> None:
    """A tracker that hears questions everywhere would hand out secrets."""
    assert not is_question(text)


@pytest.mark.parametrize(
    ("text", "acts"),
    [
        ("Hello Dana, this is Sam from Brightloom.", {"greeting", "introduction"}),
        ("I'd like to understand how your team works, is that okay?", {"agenda", "question"}),
        ("A customer like you was live in a month.", {"proof"}),
        ("It is $69 per seat.", {"price"}),
        ("So if I understand you correctly, mail gets lost.", {"summarise"}),
        ("We guarantee that you will save money.", {"promise", "value_claim"}),
        ("I can't guarantee that.", set()),
        ("This offer expires today, it's your last chance.", {"pressure"}),
        ("You're wrong about that.", {"dismissal"}),
        ("Shall we book a demo for Thursday?", {"next_step", "question"}),
        ("周总您好，我是小陈，今天想了解一下你们的情况。", {"greeting", "introduction", "agenda"}),
        ("我们保证一定能提高效率。", {"promise", "value_claim"}),
        ("今天必须定，最后一天了。", {"pressure"}),
        ("我理解您的顾虑。", {"acknowledge"}),
        ("有一家类似的电商客户也在用。", {"proof"}),
        ("下周三安排一次演示吧。", {"next_step"}),
    ],
)
def test_acts_are_heard_in_both_languages(text: str, acts: set[str]) -> None:
    """All of them and no others."""
    assert set(observe(text).acts) == acts


def test_value_is_linked_by_what_the_buyer_said() -> None:
    """A benefit counts as linked when it takes up the buyer's words, not because it is a benefit."""
    assert observe("Loomdesk clears the unanswered messages before Monday.", needs=NEEDS).links_value is False
    linked = observe(
        "You mentioned Monday: our desk routes those unanswered messages overnight.", needs=NEEDS
    )
    assert linked.links_value
    assert observe("您刚才提到晚上的咨询没人回，我们的系统会自动分配。", needs=NEEDS).links_value
    assert not observe("Our desk routes everything automatically.", needs=NEEDS).links_value
    assert not observe("You mentioned Monday: our desk routes messages overnight.").links_value


def test_objection_steps_count_only_while_one_is_open() -> None:
    """`clarify` and `respond` would otherwise be in every turn."""
    text = (
        "I understand. What makes you say that? We reduce the work by routing every message. Does that help?"
    )
    assert {"clarify", "respond", "confirm", "acknowledge"} <= set(observe(text, open_objection=True).acts)
    assert not {"clarify", "respond", "confirm"} & set(observe(text).acts)


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("Could we book a demo on Thursday at 10?", "on Thursday at 10"),
        ("Let's schedule a call next week.", "next week"),
        ("下周三上午十点安排一次演示可以吗？", "下周三上午十点"),
        ("Shall we set up a demo?", ""),
    ],
)
def test_a_next_step_has_its_date(text: str, when: str) -> None:
    """The date is what makes it one."""
    seen = observe(text)
    assert seen.next_step_what and seen.next_step_when == when


def test_a_date_alone_counts_when_it_was_asked_for() -> None:
    """The buyer said yes and asked when; the rep need not propose again."""
    assert observe("Thursday at ten?", awaiting_date=True).next_step_when
    assert not observe("Thursday was busy.").next_step_what


def test_a_next_step_in_the_agenda_is_no_proposal() -> None:
    """An opening that mentions one is polite, not pushy."""
    seen = observe("I'd like to understand your work and then see if a next step makes sense.")
    assert not seen.next_step_what and "next_step" not in seen.acts


def test_competitors_are_known_by_name() -> None:
    """In any case, from the pack."""
    assert "competitor" in observe("Is HARBORLINE in the race?", competitors=["Harborline"]).acts
    assert "competitor" not in observe("Is anyone else in the race?", competitors=["Harborline"]).acts


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("on 2026-12-04 at 10:00 about the pilot", "2026-12-04 at 10:00"),
        ("on 2026-12-04 10:30", "2026-12-04 10:30"),
        ("December 4 at 3 pm", "December 4 at 3 pm"),
        ("next Tuesday at 10", "next Tuesday at 10"),
    ],
)
def test_a_day_keeps_its_time(text: str, when: str) -> None:
    """A follow-up at ten is not booked for some time that day."""
    assert max((m.group().strip() for m in WHEN.finditer(text)), key=len) == when
