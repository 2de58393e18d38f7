"""Which questions an answer of before may be served for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.likeness import bare, same_question

SAME = (
    ("What does Harborline charge for onboarding?", "what does harborline charge for the onboarding"),
    ("What is the price of the Team plan?", "Please tell me the price of the Team plan."),
    ("Why can't a Team use SSO?", "Why cannot the Team use SSO?"),
    ("Why don’t we ship on Mondays?", "Why don't we ship on Mondays?"),
    ("团队版每个席位多少钱？", "请问团队版每个席位多少钱呢?"),
    ("Ｔｅａｍ 的价格是 ３９ 美元吗？", "Team 价格是 39 美元？"),
)
OTHER = (
    ("What were the fees in 2024?", "What were the fees in 2025?"),
    ("Is the fee 1,000 dollars?", "Is the fee 1.000 dollars?"),
    ("What is the discount for two years?", "What is the discount for three years?"),
    ("Is it 5 %?", "Is it 5 €?"),
    ("May I offer a refund?", "May I not offer a refund?"),
    ("May I offer a refund?", "Mayn't I offer a refund?"),
    ("Can a rep waive the fee?", "Can't a rep waive the fee?"),
    ("Does the plan come with support?", "Does the plan come without support?"),
    ("Who signs the contract?", "When is the contract signed?"),
    ("How is the contract signed?", "Why is the contract signed?"),
    ("What does Harborline charge?", "What does Loomdesk charge?"),
    ("What does SSO cost?", "What does SAML cost?"),
    ("Is Harborline cheaper than Loomdesk?", "Is Loomdesk cheaper than Harborline?"),
    ("How do we move from team to business?", "How do we move from business to team?"),
    ("What is my limit?", "What is their limit?"),
    ("What is the price?", "What was the price?"),
    ("Where in the US is it stored?", "Where in the EU is it stored?"),
    ("Do IT pay?", "Do reps pay?"),
    ("Is payment due before delivery?", "Is payment due after delivery?"),
    ("What is the Team price?", "Team 的价格是多少？"),
    ("可以退款吗？", "不可以退款吗？"),
    ("团队版包含什么？", "团队版不包含什么？"),
    ("从团队版换到商务版要多少钱？", "从商务版换到团队版要多少钱？"),
    ("两年的折扣是多少？", "三年的折扣是多少？"),
    ("谁可以免除费用？", "什么时候可以免除费用？"),
)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_in_other_dress_is_the_same(one: str, other: str) -> None:
    """Case, width, articles, politeness and short forms change nothing."""
    assert same_question(one, other) and same_question(other, one)
    assert same_question(bare(one), bare(other)) and same_question(bare(other), bare(one))


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_what_asks_something_else_is_not_the_same(one: str, other: str) -> None:
    """However many words are shared: the wrong year's price with a citation is worse than none."""
    assert not same_question(one, other) and not same_question(other, one)
    assert not same_question(bare(one), bare(other)) and not same_question(bare(other), bare(one))


@pytest.mark.parametrize(
    ("question", "left"),
    [
        ("Please tell me the price of the Team plan.", "price Team plan."),
        ("Is it stored in the US, or isn’t it?", "stored in US, or isn’t ?"),
        ("What's the rep’s fee?", "rep’s fee?"),
        ("请问团队版的价格是多少呢？", "团队版价格是多少？"),
    ],
)
def test_words_that_change_nothing_are_left_out(question: str, left: str) -> None:
    """Else politeness is a difference; a name in capitals, or half a word, is no such word."""
    assert bare(question) == left


@given(st.text(), st.text())
def test_any_two_texts_can_be_compared(one: str, other: str) -> None:
    """Whatever a client sends; and a text asks the same as itself, both ways alike."""
    assert same_question(one, one)
    assert same_question(one, other) == same_question(other, one)
