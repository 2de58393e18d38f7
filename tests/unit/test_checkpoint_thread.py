"""A thread's keys and configs."""

from __future__ import annotations

import pytest

from runtime.checkpoint_thread import spot, thread_of, thread_script
from runtime.errors import InvalidInput
from runtime.keys import tagged
from tests.checkpointing import at


@pytest.mark.parametrize("thread", ["acme/t1", "a{b}%25c", "多/:c", "}:c", ""])
def test_a_thread_is_read_back_from_its_key(thread: str) -> None:
    """Braces and percent signs are escaped, so that the hash tag is the whole id."""
    assert thread_of(tagged(thread, "c")) == thread
    assert thread_of(tagged(thread, "b")) is None


def test_all_keys_of_a_script_share_one_hash_tag() -> None:
    """One slot, so one script may touch them."""
    args = thread_script("get", "a{b}", "", "").args
    keys = args[3 : 3 + args[2]]
    assert {key.decode().partition("}")[0] for key in keys} == {"{a%7Bb%7D"[:-3] + "%7D"}


def test_a_config_is_read_with_its_defaults() -> None:
    """No namespace is the root's, no id the newest, no fence no check."""
    assert spot({"configurable": {"thread_id": 5}}) == ("5", "", "", "")
    assert spot(at("t", "ns", "id", __fence=0)) == ("t", "ns", "id", "0")


@pytest.mark.parametrize("bad", [at("a\0"), at("a", "n\0"), at("a", "", "\0"), at("\udfff")])
def test_ids_that_would_break_a_key_are_refused(bad: object) -> None:
    """A zero byte ends each part of a member."""
    with pytest.raises(InvalidInput):
        spot(bad)  # type: ignore[arg-type]  # a config, typed wider by parametrize
