"""Reading a decision."""

from __future__ import annotations

from typing import Any

import pytest

from runtime.context import User
from tools.follow_ups import namespace, read_decision


@pytest.mark.parametrize("answer", [True, "yes", " Yes. ", "OK", "好的", "同意。", {"approved": True}])
def test_a_yes_in_any_form_is_a_yes(answer: Any) -> None:
    """Terminals send words, pages send objects."""
    assert read_decision(answer).approved


@pytest.mark.parametrize("answer", [False, "no", "", "yes but later", None, 1, [], {}, {"approved": "maybe"}])
def test_everything_else_is_a_no(answer: Any) -> None:
    """A side effect needs a clear word."""
    assert not read_decision(answer).approved


def test_follow_ups_belong_to_one_user_of_one_tenant() -> None:
    """Two tenants may both have an ana."""
    assert namespace(User("acme", "ana")) != namespace(User("globex", "ana"))
    assert namespace(User("acme", "ana")) == ("acme", "ana", "follow_ups")
