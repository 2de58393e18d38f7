"""Reading checkpoints: the one a config points at, and the history of delta channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
    PendingWrite,
)

from runtime.checkpoint_bytes import Codec
from runtime.checkpoint_records import (
    INLINE,
    STORED,
    Body,
    Record,
    checkpoint_prefix,
    read_body,
    read_record,
    read_version,
    read_writes,
    value_field,
)
from runtime.checkpoint_thread import Setup, checkpoint_config, read, spot, thread_script
from runtime.checkpoint_values import Decoder
from runtime.errors import CheckpointLost
from runtime.redis_calls import Operation

_STEPS = 1024
"""Ancestors in one reply of a history."""


class Found(NamedTuple):
    """A record that was read, its body opened."""

    record: Record
    body: Body


def get(setup: Setup, config: RunnableConfig) -> Operation[CheckpointTuple | None]:
    """The checkpoint the config points at, the newest one without an id; None when there is none."""
    at = spot(config)
    reply = yield from read(thread_script("get", at.thread, at.namespace, at.checkpoint_id))
    if reply is None:
        return None
    member, fields, values, log, names, blocks = reply
    stored = dict(zip(fields, values, strict=True))
    setup.known.learn(at.thread, names)
    decoder = Decoder(setup.codec, dict(zip(names, blocks, strict=True)))
    return as_tuple(at.thread, find(setup.codec, member), stored, log, decoder)


def find(codec: Codec, member: bytes) -> Found:
    """The record that a script returned."""
    record = read_record(member)
    return Found(record, read_body(codec, record.body))


def as_tuple(
    thread: str, found: Found, stored: Mapping[bytes, bytes], log: Sequence[bytes], decoder: Decoder
) -> CheckpointTuple:
    """What LangGraph wants of a record, its `stored` values and its log of writes."""
    record, body = found
    checkpoint = {
        **body.checkpoint,
        "id": record.checkpoint_id,
        "channel_versions": {c.name: read_version(c.version) for c in record.channels},
        "channel_values": _values(found, stored, decoder),
    }
    parent = checkpoint_config(thread, record.namespace, record.parent_id) if record.parent_id else None
    return CheckpointTuple(
        checkpoint_config(thread, record.namespace, record.checkpoint_id),
        cast(Checkpoint, checkpoint),
        cast(CheckpointMetadata, body.metadata),
        parent,
        read_writes(decoder, _prefix(record), log),
    )


def history(
    setup: Setup, config: RunnableConfig, channels: Sequence[str]
) -> Operation[Mapping[str, DeltaChannelHistory]]:
    """Each channel's writes along the ancestors, oldest first, from the nearest stored value on.

    Raises CheckpointLost, also when an ancestor is deleted between two replies.
    """
    at = spot(config)
    found: dict[str, DeltaChannelHistory] = {channel: {"writes": []} for channel in channels}
    steps: list[list[PendingWrite]] = []
    first, with_first = at.checkpoint_id, 0
    while wanted := [channel for channel in channels if "seed" not in found[channel]]:
        call = thread_script("history", at.thread, at.namespace, first, _STEPS, with_first, *wanted)
        ancestors, seeds, names, blocks, following = yield from read(call)
        if with_first and not ancestors:
            raise CheckpointLost("the history was deleted while it was read")
        decoder = Decoder(setup.codec, dict(zip(names, blocks, strict=True)))
        for member, log, open_ in ancestors:
            open_channels = {channel.decode() for channel in open_}
            steps.append(read_writes(decoder, _prefix(read_record(member)), log, open_channels))
        for channel, place, seed in seeds:
            found[channel.decode()]["seed"] = _seed(setup.codec, decoder, channel.decode(), place, seed)
        if not following:
            break
        first, with_first = following.decode(), 1
    for write in (write for step in reversed(steps) for write in step):
        found[write[1]]["writes"].append(write)
    return found


def _prefix(record: Record) -> bytes:
    return checkpoint_prefix(record.namespace, record.checkpoint_id)


def _values(found: Found, stored: Mapping[bytes, bytes], decoder: Decoder) -> dict[str, Any]:
    record, body = found
    values = {}
    for name, version, place in record.channels:
        if place == INLINE:
            values[name] = body.inline[name]
        elif place == STORED:
            values[name] = decoder.decode(stored[value_field(record.namespace, name, version)]).values[0]()
    return values


def _seed(codec: Codec, decoder: Decoder, channel: str, place: int, seed: bytes) -> Any:
    if place == INLINE:
        return find(codec, seed).body.inline[channel]
    return decoder.decode(seed).values[0]()
