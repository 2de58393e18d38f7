"""What may be left out because it is stored, and for how many blocks that is remembered."""

from __future__ import annotations

from runtime.checkpoint_known import NOTHING, Known


def names(*numbers: int) -> list[bytes]:
    return [b"e%016d" % number for number in numbers]


def learn(known: Known, thread: str, *numbers: int, guard: bytes = b"v") -> None:
    known.learn(thread, {name: guard for name in names(*numbers)})


def test_what_was_learned_is_left_out_under_its_guards() -> None:
    """The server is told which fields the omission rests on, the newest for each block."""
    known = Known(100)
    assert known.omit("t", names(1)) == NOTHING
    learn(known, "t", 1, 2, guard=b"v1")
    learn(known, "t", 2, 3, guard=b"v2")
    assert known.omit("t", names(1, 2, 9)) == (frozenset(names(1, 2)), [b"v1", b"v2"])
    assert known.omit("t", names(2)) == (frozenset(names(2)), [b"v2"])
    assert not known.omit("t", names(9)).names
    assert known.omit("other", names(1)) == NOTHING
    known.forget("t")
    assert known.omit("t", names(1)) == NOTHING


def test_the_threads_unused_for_longest_are_forgotten_first() -> None:
    """Memory is bounded by blocks, whatever the number of threads."""
    known = Known(6)
    learn(known, "a", 1, 2)
    learn(known, "b", 1, 2)
    learn(known, "c", 1, 2)
    assert known.omit("a", names(1)).names
    learn(known, "d", 1, 2)
    assert [bool(known.omit(thread, names(1)).names) for thread in "abcd"] == [True, False, True, True]
    learn(known, "e", *range(20))
    assert not any(known.omit(thread, names(1)).names for thread in "abcde")
    learn(known, "f", 1, 2)
    assert known.omit("f", names(1)).names


def test_too_many_guards_are_not_worth_checking() -> None:
    """Then everything is sent."""
    known = Known(1000)
    for number in range(65):
        learn(known, "t", number, guard=b"v%d" % number)
    assert known.omit("t", names(*range(65))) == NOTHING
    assert len(known.omit("t", names(*range(64))).guards) == 64
