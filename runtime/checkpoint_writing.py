"""Putting checkpoints and their pending writes: one script each, which the server may refuse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    get_checkpoint_metadata,
)

from runtime.checkpoint_records import (
    INLINE,
    NONE,
    STORED,
    Body,
    Channel,
    Flags,
    Place,
    checkpoint_prefix,
    pack_body,
    pack_record,
    pack_writes,
    value_field,
    version_token,
)
from runtime.checkpoint_thread import Setup, Spot, checkpoint_config, register, spot, thread_script
from runtime.checkpoint_values import Encoder, is_group
from runtime.errors import StaleFence
from runtime.redis_calls import Operation

_INLINE_CHARS = 128
_STALE, _REFUSED, _FIRST_OF_RUN = -1, 0, 2


class _Entry(NamedTuple):
    """What a script adds to a thread: a member, and the fields that it relies on."""

    script: str
    prefix: bytes
    member: bytes
    fields: Mapping[bytes, bytes]
    """Channel values to store."""
    kept: Mapping[bytes, Any]
    """Values an earlier checkpoint should have stored; sent if it turns out that they are not there."""
    run: str = ""


def put(
    setup: Setup,
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    new_versions: ChannelVersions,
) -> Operation[RunnableConfig]:
    """Stores a checkpoint, complete: every value it has is stored with it or was confirmed to be there.

    Raises StaleFence, with nothing written.
    """
    at, checkpoint_id = spot(config), checkpoint["id"]
    full = cast(dict[str, Any], get_checkpoint_metadata(config, metadata))
    channels, values = _channels(checkpoint), checkpoint["channel_values"]
    fields = {c.name: value_field(at.namespace, c.name, c.version) for c in channels if c.place == STORED}
    encoder = Encoder(setup.codec)
    prefix = checkpoint_prefix(at.namespace, checkpoint_id)
    body = _body(setup, checkpoint, channels, full)
    entry = _Entry(
        "put",
        prefix,
        pack_record(prefix, at.checkpoint_id, _flags(full), channels, body),
        {field: encoder.encode([values[c]]) for c, field in fields.items() if c in new_versions},
        {field: values[c] for c, field in fields.items() if c not in new_versions},
        str(full.get("run_id") or ""),
    )
    yield from _store(setup, at, entry, encoder)
    return checkpoint_config(at.thread, at.namespace, checkpoint_id)


def put_writes(
    setup: Setup, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str
) -> Operation[None]:
    """Appends a task's writes to the log of a checkpoint, which may not be there yet.

    Raises StaleFence, with nothing written.
    """
    at = spot(config)
    encoder = Encoder(setup.codec)
    member = pack_writes(encoder, writes, task_id, task_path)
    entry = _Entry("write", checkpoint_prefix(at.namespace, at.checkpoint_id), member, {}, {})
    yield from _store(setup, at, entry, encoder)


def _store(setup: Setup, at: Spot, entry: _Entry, encoder: Encoder) -> Operation[None]:
    reply = yield from _send(setup, at, entry, encoder, setup.known.of(at.thread, encoder.blocks))
    if reply == _REFUSED:
        missing = {field: encoder.encode([value]) for field, value in entry.kept.items()}
        entry = entry._replace(fields={**entry.fields, **missing}, kept={})
        reply = yield from _send(setup, at, entry, encoder, frozenset())
    if reply == _STALE:
        raise StaleFence(fence=at.fence)
    if reply == _FIRST_OF_RUN:
        # Once more: a removal may have struck the thread from the run's set in between.
        yield register([entry.run], at.thread, setup.ttl_ms(at.thread))
    setup.known.learn(at.thread, encoder.blocks)


def _send(
    setup: Setup, at: Spot, entry: _Entry, encoder: Encoder, omitted: frozenset[bytes]
) -> Operation[Any]:
    """The script's reply. A group that is there has its chunks there."""
    ttl_ms = setup.ttl_ms(at.thread)
    grouped = omitted.union(*(encoder.blocks[name] for name in omitted if is_group(name)))
    required = [*entry.kept, *omitted]
    pairs = [(name, encoder.payload(name)) for name in encoder.blocks if name not in grouped]
    pairs += entry.fields.items()
    store = thread_script(
        entry.script,
        at.thread,
        at.fence,
        ttl_ms,
        entry.prefix,
        entry.member,
        entry.run,
        len(required),
        *required,
        *(part for pair in pairs for part in pair),
    )
    # First, so that a lost connection never leaves a run unregistered.
    announced = register([entry.run], at.thread, ttl_ms) if entry.run else []
    if announced and setup.in_cluster:  # The nodes of a cluster answer in any order.
        yield announced
        announced = []
    *_, reply = yield [*announced, store]
    return reply


def _channels(checkpoint: Checkpoint) -> list[Channel]:
    values = checkpoint["channel_values"]
    return [
        Channel(name, version_token(version), _place(values[name]) if name in values else NONE)
        for name, version in checkpoint["channel_versions"].items()
    ]


def _place(value: Any) -> Place:
    kind = type(value)
    if value is None or kind in (bool, int, float) or (kind is str and len(value) <= _INLINE_CHARS):
        return INLINE
    return STORED


def _flags(metadata: Mapping[str, Any]) -> Flags:
    flags: Flags = {}
    if run := metadata.get("run_id"):
        flags["r"] = str(run)
    if root := (metadata.get("parents") or {}).get(""):
        flags["p"] = root
    if deltas := metadata.get("counters_since_delta_snapshot"):
        flags["d"] = list(deltas)
    return flags


def _body(
    setup: Setup, checkpoint: Checkpoint, channels: Iterable[Channel], metadata: dict[str, Any]
) -> bytes:
    values = checkpoint["channel_values"]
    apart = ("id", "channel_values", "channel_versions")
    rest = {key: value for key, value in checkpoint.items() if key not in apart}
    inline = {c.name: values[c.name] for c in channels if c.place == INLINE}
    return pack_body(setup.codec, Body(rest, inline, metadata))
