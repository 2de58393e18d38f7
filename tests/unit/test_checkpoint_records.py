"""The bytes of records and writes, which the Lua scripts read too."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from runtime.checkpoint_bytes import Codec
from runtime.checkpoint_records import (
    INLINE,
    NONE,
    STORED,
    Body,
    Channel,
    checkpoint_prefix,
    pack_body,
    pack_record,
    pack_writes,
    read_body,
    read_record,
    read_version,
    read_writes,
    version_token,
)
from runtime.checkpoint_values import Decoder, Encoder

CODEC = Codec(JsonPlusSerializer(), b"")


@given(st.integers() | st.floats(allow_nan=False) | st.text(st.characters(exclude_characters="\1\0")))
def test_any_version_comes_back_with_its_type(version: str | int | float) -> None:
    """LangGraph compares versions, so 1 must not become "1"."""
    back = read_version(version_token(version))
    assert back == version and type(back) is type(version)


@pytest.mark.parametrize("parent", ["", "p" * 300])
def test_a_record_comes_back(parent: str) -> None:
    """Ids with colons, slashes and Chinese; hundreds of channels; a body with zero bytes."""
    channels = [Channel(f"branch:to:{i}|x", f"{i:08x}.ab", place) for i in range(900) for place in (STORED,)]
    channels += [Channel("多", "\x01i5", INLINE), Channel("", "", NONE)]
    body = pack_body(CODEC, Body({"ts": "t", "raw": b"\0"}, {"多": 1}, {"step": -1}))
    prefix = checkpoint_prefix("a:1|b/多", "id:{1}")
    record = read_record(pack_record(prefix, parent, {"r": "run"}, channels, body))
    assert record[:4] == ("a:1|b/多", "id:{1}", parent, channels)
    assert read_body(CODEC, record.body) == Body({"ts": "t", "raw": b"\0"}, {"多": 1}, {"step": -1})


def test_the_first_write_of_a_slot_stays_and_the_last_of_a_special_one() -> None:
    """A task that is resent changes nothing; a later error or answer replaces the one before."""
    encoder, prefix = Encoder(CODEC), checkpoint_prefix("", "c")
    sent = [
        pack_writes(encoder, [("a", 1), ("__interrupt__", "first"), ("b", 2)], "t2", "~1"),
        pack_writes(encoder, [("a", 9), ("__interrupt__", "second")], "t2", "~1"),
        pack_writes(encoder, [("a", 3)], "t1", "~2"),
        pack_writes(encoder, [("a", 4)], "t3", ""),
    ]
    log = [prefix + b"\0" + number.to_bytes(4) + data for number, data in enumerate(sent)]
    decoder = Decoder(CODEC, {})
    whole = read_writes(decoder, prefix, log)
    assert whole == [
        ("t3", "a", 4),
        ("t2", "__interrupt__", "second"),
        ("t2", "a", 1),
        ("t2", "b", 2),
        ("t1", "a", 3),
    ]
    assert read_writes(decoder, prefix, log, {"b"}) == [("t2", "b", 2)]
