"""What a client sends, as a run's request."""

from __future__ import annotations

from typing import Any

import pytest

from runtime.assistant_record import default_assistant
from runtime.errors import InvalidInput, NotSupported
from runtime.run_record import RunRequest
from runtime.run_request import RunParams
from runtime.validation import parse_object

ASSISTANT = default_assistant("g")


def request(**given: Any) -> RunRequest:
    return parse_object(RunParams, given).request(ASSISTANT, max_message_chars=10)


def test_both_spellings_of_the_strategy_are_taken() -> None:
    """JavaScript sends both, Python one."""
    assert request(multitaskStrategy="rollback").strategy == "rollback"
    assert request(multitask_strategy="reject").strategy == "reject"
    assert request().strategy == "enqueue"


def test_the_checkpoint_is_found_wherever_a_client_puts_it() -> None:
    """The SDKs have three places for it."""
    for given in (
        {"checkpoint_id": "c"},
        {"checkpoint": {"checkpoint_id": "c"}},
        {"config": {"configurable": {"checkpoint_id": "c"}}},
    ):
        asked = request(**given)
        assert asked.checkpoint_id == "c" and "checkpoint_id" not in asked.configurable


def test_a_client_cannot_name_what_is_the_servers() -> None:
    """Another thread, another user (as a project's graph is told of it), or the fence."""
    given = {"thread_id": "t", "user_id": "bo", "run_id": "r", "__fence": 9, "colour": "red"}
    given |= {"langgraph_auth_user": {"identity": "boss"}, "langgraph_auth_user_id": "boss"}
    assert request(config={"configurable": given}).configurable == {"colour": "red"}


def test_a_command_is_an_answer_an_update_or_a_jump() -> None:
    """Each alone or together."""
    answered = request(command={"resume": {"i": 1}, "update": {"n": 2}, "goto": "node"})
    assert (answered.kind, answered.payload, answered.update, answered.goto) == (
        "resume",
        {"i": 1},
        {"n": 2},
        "node",
    )
    jumped = request(input=None, command={"goto": "node"})
    assert (jumped.kind, jumped.payload, jumped.goto) == ("input", None, "node")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"multitask_strategy": "maybe"}, "strategy"),
        ({"config": {"configurable": 7}}, "configurable"),
        ({"config": {"tags": 5}}, "tags"),
        ({"config": {"recursion_limit": 0}}, "recursion_limit"),
        ({"config": {"recursion_limit": True}}, "recursion_limit"),
        ({"config": {"configurable": {"checkpoint_id": 7}}}, "checkpoint_id"),
        ({"input": {"messages": []}}, "empty"),
        ({"input": {"messages": [{"role": "user", "content": " "}]}}, "empty"),
        ({"input": {"messages": "x" * 11}}, "at most 10"),
        ({"input": {"messages": [["user", " "]]}}, "empty"),
        ({"input": {"messages": [{"role": "user", "content": ["x" * 6, {"text": "x" * 6}]}]}}, "at most 10"),
        ({"interrupt_before": 7}, "interrupt_before"),
        ({"idempotency_key": "k" * 201}, "idempotency_key"),
    ],
)
def test_a_fault_names_the_field_or_the_limit(given: dict[str, Any], said: str) -> None:
    """A client is told what to change."""
    with pytest.raises(InvalidInput, match=said):
        request(**given)


def test_an_input_nested_too_deep_is_refused() -> None:
    """It could not be recorded."""
    deep: Any = "x"
    for _ in range(300):
        deep = [deep]
    with pytest.raises(InvalidInput, match="nested"):
        request(input={"deep": deep})


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]},
        {"type": "ai", "content": "", "tool_calls": [{"name": "n", "args": {}, "id": "1"}]},
        ["user", "go"],
        "go",
    ],
)
def test_messages_come_in_many_forms(message: Any) -> None:
    """An image says something, and so does a tool call; LangChain takes pairs and texts too."""
    assert request(input={"messages": [message]}).payload == {"messages": [message]}


@pytest.mark.parametrize("given", [{"webhook": "https://x"}, {"after_seconds": 3}])
def test_what_is_not_supported_is_refused(given: dict[str, Any]) -> None:
    """Rather than accepted and forgotten."""
    with pytest.raises(NotSupported):
        request(**given)
