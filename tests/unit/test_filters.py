"""Subscription filters."""

from typing import Any

import pytest

from runtime.errors import InvalidInput
from runtime.events import Event
from runtime.filters import parse_filter, parse_since


def event(method: str, *namespace: str, name: str = "") -> Event:
    return Event(method, namespace, name, "{}")


@pytest.mark.parametrize(
    ("params", "passes", "stays"),
    [
        ({"channels": ["messages"]}, event("messages", "a:1", "b:2"), event("values")),
        ({"channels": ["input"]}, event("input.requested"), event("lifecycle")),
        ({"channels": ["custom"]}, event("custom", name="hint"), event("messages")),
        ({"channels": ["custom:hint"]}, event("custom", name="hint"), event("custom", name="score")),
        (
            {"channels": ["values"], "namespaces": [["tools"]]},
            event("values", "tools:42"),
            event("values", "t:4"),
        ),
        (
            {"channels": ["values"], "namespaces": [["tools:42"]]},
            event("values", "tools:42"),
            event("values", "tools:43"),
        ),
        ({"channels": ["values"], "namespaces": [[]], "depth": 0}, event("values"), event("values", "a:1")),
        (
            {"channels": ["values"], "namespaces": [["a"]], "depth": 1},
            event("values", "a:1", "b:2"),
            event("values", "a:1", "b:2", "c:3"),
        ),
        (
            {"channels": ["values"], "namespaces": [["a"], ["b"]]},
            event("values", "b:2"),
            event("values", "c:1"),
        ),
    ],
)
def test_what_passes_and_what_stays(params: dict[str, Any], passes: Event, stays: Event) -> None:
    """Channels, names, prefixes with and without task id, and depth."""
    wanted = parse_filter(params)
    assert wanted.matches(passes)
    assert not wanted.matches(stays)


@pytest.mark.parametrize("depth", [True, -1, "1", None])
def test_a_depth_that_is_no_count_is_left_out(depth: object) -> None:
    """As the protocol's other servers do."""
    wanted = parse_filter({"channels": ["values"], "namespaces": [[]], "depth": depth})
    assert wanted.matches(event("values", "a:1", "b:1", "c:1"))


@pytest.mark.parametrize("namespaces", [None, []])
def test_without_namespaces_depth_is_not_looked_at(namespaces: object) -> None:
    """A client that gives only a depth sees everything."""
    wanted = parse_filter({"channels": ["values"], "namespaces": namespaces, "depth": 0})
    assert wanted.matches(event("values", "a:1", "b:1"))


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"channels": []},
        {"channels": "values"},
        {"channels": ["nonsense"]},
        {"channels": ["custom:"]},
        {"channels": [1]},
        {"channels": ["values"], "namespaces": "a"},
        {"channels": ["values"], "namespaces": [[1]]},
    ],
)
def test_a_bad_subscription_is_refused(params: dict[str, Any]) -> None:
    """Nothing is subscribed to by guesswork."""
    with pytest.raises(InvalidInput):
        parse_filter(params)


def test_since_is_a_count_or_nothing() -> None:
    """Zero means everything; a boolean is not a number."""
    assert [parse_since({"since": v}) for v in (0, 7, True, -1, "3", None)] == [0, 7, None, None, None, None]


def test_a_watcher_is_known_by_its_channels() -> None:
    """The hub holds a watcher's interrupt back until the other sockets had theirs."""
    assert parse_filter({"channels": ["lifecycle", "input"]}).watches_only
    assert not parse_filter({"channels": ["lifecycle", "values"]}).watches_only


@pytest.mark.parametrize(
    "params", [{"channels": ["values"] * 65}, {"channels": ["values"], "namespaces": [["a"]] * 257}]
)
def test_a_filter_is_bounded(params: dict[str, Any]) -> None:
    """Filters are kept for others of the same kind: a client cannot fill the server's memory with them."""
    with pytest.raises(InvalidInput, match="at most"):
        parse_filter(params)
