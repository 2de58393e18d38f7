"""Values as blocks and skeletons."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langgraph.checkpoint.serde.base import SerializerProtocol
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.serde.types import _DeltaSnapshot

from runtime.checkpoint_bytes import Codec
from runtime.checkpoint_values import Decoder, Encoder, is_group, read_refs
from runtime.errors import CheckpointLost
from tests.checkpointing import KeyStream, history

PLAIN = Codec(JsonPlusSerializer(allowed_msgpack_modules=None), b"")
SEALED = Codec(EncryptedSerializer(KeyStream(), JsonPlusSerializer(allowed_msgpack_modules=None)), b"k" * 16)

SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)
LEAVES = SCALARS | st.text(max_size=200) | st.binary(max_size=200)
STATES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=80) | st.dictionaries(st.text(max_size=9) | st.integers(0, 9), inner)
    ),
    max_leaves=120,
)


def round_trip(codec: Codec, values: list[Any], memo: dict[bytes, list[Any]] | None = None) -> list[Any]:
    encoder = Encoder(codec)
    data = encoder.encode(values, ["head"])
    decoder = Decoder(codec, {name: encoder.payload(name) for name in encoder.blocks}, memo)
    head, built = decoder.decode(b"before" + data, len(b"before"))
    assert head == ["head"]
    return [value() for value in built]


def blocks_of(codec: Codec, value: Any) -> set[bytes]:
    """All of them can be reached from the value: itself, or through a group."""
    encoder = Encoder(codec)
    direct = set(read_refs(encoder.encode([value]))[0])
    grouped = {inner for name in direct if is_group(name) for inner in encoder.blocks[name]}
    assert direct | grouped == set(encoder.blocks)
    return direct | grouped


@given(st.lists(STATES, max_size=3))
@settings(max_examples=60, deadline=None)
def test_any_state_comes_back(values: list[Any]) -> None:
    """Split, nested or whole, in plain text or sealed, decoded once or twice."""
    memo: dict[bytes, list[Any]] = {}
    assert round_trip(PLAIN, values) == values
    assert round_trip(SEALED, values) == values
    assert round_trip(PLAIN, values, memo) == round_trip(PLAIN, values, memo) == values


def test_a_list_is_a_list_and_a_tuple_what_the_serializer_makes_of_it() -> None:
    """Only what every serializer gives back as it was is taken apart."""
    messages = history(40)
    assert round_trip(PLAIN, [messages, tuple(messages), _DeltaSnapshot(messages)]) == [
        messages,
        messages,
        _DeltaSnapshot(messages),
    ]
    assert len(blocks_of(PLAIN, tuple(messages))) == 1


@pytest.mark.parametrize("codec", [PLAIN, SEALED], ids=["plain", "sealed"])
@pytest.mark.parametrize("where", ["whole", "dict", "snapshot"])
def test_a_history_shares_all_but_its_end_with_the_next(codec: Codec, where: str) -> None:
    """One message more costs a block, now and then one that closes a chunk or a group."""
    wrap: Any = {
        "whole": lambda items: items,
        "dict": lambda items: {"state": {"messages": items, "n": 1}},
        "snapshot": _DeltaSnapshot,
    }[where]
    known: set[bytes] = set()
    for turns in range(1, 150):
        messages = history(turns)[:-1]
        new = blocks_of(codec, wrap(messages)) - known
        assert len(new) <= 2 + 2
        known |= new
    assert len(known) < 2 * 300


def test_a_long_history_refers_to_few_blocks() -> None:
    """Ten times the messages are not ten times the references, or stored bytes would grow with the square."""
    counts = [len(read_refs(Encoder(PLAIN).encode([history(turns)]))[0]) for turns in range(50, 2000, 65)]
    assert max(counts) < 90 and sum(counts) / len(counts) < 40


def test_an_edit_in_the_middle_leaves_the_rest_shared() -> None:
    """Borders come from the content, so they fall into place again behind the change."""
    messages = history(200)
    edited = [*messages[:100], messages[100].model_copy(update={"content": "edited" * 20}), *messages[101:]]
    removed = [*messages[:100], *messages[101:]]
    before = blocks_of(PLAIN, messages)
    assert len(blocks_of(PLAIN, edited) - before) <= 4
    assert len(blocks_of(PLAIN, removed) - before) <= 5


def test_lists_of_small_values_are_stored_whole() -> None:
    """An embedding is one block, not a thousand."""
    assert len(blocks_of(PLAIN, [0.5] * 1000)) == 1
    assert len(blocks_of(PLAIN, ["a long enough line of text number " + str(i) for i in range(1000)])) > 10


def test_equal_values_have_equal_digests_only_under_one_key() -> None:
    """Sealed twice they differ; named, they are the same block; without the key the name tells nothing."""
    value = "v" * 100
    assert SEALED.seal(b"x") != SEALED.seal(b"x")
    assert blocks_of(SEALED, value) == blocks_of(SEALED, value)
    other = Codec(EncryptedSerializer(KeyStream(), JsonPlusSerializer()), b"other" * 4)
    assert not blocks_of(other, value) & blocks_of(SEALED, value)
    assert not blocks_of(PLAIN, value) & blocks_of(SEALED, value)


def test_sealed_bytes_need_a_cipher() -> None:
    """And plain ones do not: encryption may be turned on later."""
    with pytest.raises(CheckpointLost):
        PLAIN.open(SEALED.seal(b"x"))
    assert SEALED.open(PLAIN.seal(b"x")) == b"x"


class Shouting(SerializerProtocol):
    """A serializer with a type name of its own."""

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        return "shout-多", str(obj).upper().encode()

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        assert data[0] == "shout-多"
        return data[1].decode()


def test_other_serializers_keep_their_types() -> None:
    """The name of the type travels with the bytes."""
    assert round_trip(Codec(Shouting(), b""), ["abc"]) == ["ABC"]
