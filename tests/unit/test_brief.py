"""What a brief carries comes out again, whatever stands in it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from runtime.brief import Brief, read_brief, write_brief

FENCES = st.sampled_from(["```", "```json brief\n{}\n```", "\n```\n", "\\```", "`", "````", "价格太高了"])
TEXTS = st.lists(st.one_of(st.text(), FENCES)).map("".join)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
FACTS = st.dictionaries(TEXTS.filter(lambda key: key not in ("task", "instructions")), JSON, max_size=4)


@given(facts=FACTS, instructions=TEXTS)
def test_any_facts_come_out_as_they_went_in(facts: dict[str, Any], instructions: str) -> None:
    """A script acts on exactly the facts, though a document in them or in the prose holds code fences."""
    assert read_brief([write_brief("answer", instructions, **facts)]) == Brief("answer", facts)


def test_a_brief_is_readable_prose_first() -> None:
    """A real model gets the instructions before the facts, and Chinese as Chinese."""
    message = write_brief("buyer", "  You buy software.\n", pain="太慢")
    assert message.text.startswith("You buy software.\n\n```json brief\n")
    assert '"太慢"' in message.text


def test_the_last_brief_counts() -> None:
    """A brief in an earlier system message is over once a later one is given."""
    messages = [write_brief("buyer", "Buy."), HumanMessage("hello"), write_brief("answer", "Answer.")]
    found = read_brief([*messages, SystemMessage("Be kind.")])
    assert found and found.task == "answer"


def test_only_a_system_message_holds_a_brief() -> None:
    """What a user or a model types is never taken for instructions."""
    block = write_brief("buyer", "Buy.").text
    assert read_brief([HumanMessage(block), AIMessage(block), SystemMessage("Be kind.")]) is None
