"""What may be left out because it is stored, and for how many blocks that is remembered."""

from __future__ import annotations

from runtime.checkpoint_known import Known


def names(*numbers: int) -> list[bytes]:
    return [b"e%016d" % number for number in numbers]


def test_what_was_learned_is_known_of_that_thread() -> None:
    """And of no other, until it is forgotten."""
    known = Known(100)
    assert not known.of("t", names(1))
    known.learn("t", names(1, 2))
    known.learn("t", names(2, 3))
    assert known.of("t", names(1, 2, 9)) == frozenset(names(1, 2))
    assert not known.of("t", names(9)) and not known.of("other", names(1))
    known.forget("t")
    assert not known.of("t", names(1))


def test_the_threads_unused_for_longest_are_forgotten_first() -> None:
    """Memory is bounded by blocks, whatever the number of threads."""
    known = Known(6)
    for thread in "abc":
        known.learn(thread, names(1, 2))
    assert known.of("a", names(1))
    known.learn("d", names(1, 2))
    assert [bool(known.of(thread, names(1))) for thread in "abcd"] == [True, False, True, True]
    known.learn("e", names(*range(20)))
    assert not any(known.of(thread, names(1)) for thread in "abcde")
    known.learn("f", names(1, 2))
    assert known.of("f", names(1))
