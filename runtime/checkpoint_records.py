"""The bytes of a checkpoint's record and of a task's writes, as the scripts in `lua/` read them."""

from __future__ import annotations

import struct
from collections.abc import Callable, Container, Iterable, Sequence
from typing import Any, Final, Literal, NamedTuple, TypedDict

import ormsgpack
from langgraph.checkpoint.base import WRITES_IDX_MAP, PendingWrite, writes_sort_key

from runtime.checkpoint_bytes import Codec
from runtime.checkpoint_values import Decoder, Encoder

Place = Literal[0, 1, 2]
"""Where a channel's value is."""
STORED: Final = 0
"""In a field of its own."""
INLINE: Final = 1
"""In the record's body."""
NONE: Final = 2
"""Nowhere: the channel is empty, or a DeltaChannel."""

_U16, _U32 = struct.Struct(">H"), struct.Struct(">I")
_NUMBER = "\x01"
"""Begins a version that is no string, so that it comes back as what it was."""


class Flags(TypedDict, total=False):
    """What the scripts must know of a checkpoint's metadata."""

    r: str
    """Its run."""
    p: str
    """Checkpoint of the root graph that a subgraph's checkpoint belongs to."""
    d: list[str]
    """Channels whose value is to be rebuilt from the ancestors' writes (DeltaChannel)."""


class Channel(NamedTuple):
    name: str
    version: str
    """Its token: see `version_token`."""
    place: Place


class Body(NamedTuple):
    """What only the saver reads; sealed as a whole."""

    checkpoint: dict[str, Any]
    """Without id, versions and values."""
    inline: dict[str, Any]
    metadata: dict[str, Any]


class Record(NamedTuple):
    """A stored checkpoint; its values stand elsewhere."""

    namespace: str
    checkpoint_id: str
    parent_id: str
    """'' for none."""
    channels: list[Channel]
    body: bytes


def version_token(version: str | int | float) -> str:
    """The version as part of a field's name."""
    return version if isinstance(version, str) else f"{_NUMBER}{version!r}"


def read_version(token: str) -> str | int | float:
    """The version of a `version_token`."""
    if not token.startswith(_NUMBER):
        return token
    number = token[1:]
    return int(number) if number.lstrip("-").isdigit() else float(number)


def value_field(namespace: str, channel: str, token: str) -> bytes:
    """The field that holds a channel's value of one version."""
    return f"v{namespace}\0{channel}\0{token}".encode()


def checkpoint_prefix(namespace: str, checkpoint_id: str) -> bytes:
    """What a checkpoint's members begin with, followed by a zero byte."""
    return f"{namespace}\0{checkpoint_id}".encode()


def pack_record(
    prefix: bytes, parent_id: str, flags: Flags, channels: Iterable[Channel], body: bytes
) -> bytes:
    """prefix, 0, u16 and parent, u32 and header (msgpack: flags, channels in a row), body."""
    parent = parent_id.encode()
    header = ormsgpack.packb([flags, [part for channel in channels for part in channel]])
    return b"".join((prefix, b"\0", _U16.pack(len(parent)), parent, _U32.pack(len(header)), header, body))


def read_record(member: bytes) -> Record:
    """The record of `pack_record`."""
    namespace, checkpoint_id, rest = member.split(b"\0", 2)
    (parent_size,) = _U16.unpack_from(rest)
    parent_end = _U16.size + parent_size
    (header_size,) = _U32.unpack_from(rest, parent_end)
    start = parent_end + _U32.size
    _, flat = ormsgpack.unpackb(rest[start : start + header_size])
    return Record(
        namespace.decode(),
        checkpoint_id.decode(),
        rest[_U16.size : parent_end].decode(),
        [Channel(*flat[i : i + 3]) for i in range(0, len(flat), 3)],
        rest[start + header_size :],
    )


def pack_body(codec: Codec, body: Body) -> bytes:
    return codec.seal(codec.dumps(list(body)))


def read_body(codec: Codec, data: bytes) -> Body:
    return Body(*codec.loads(codec.open(data)))


def pack_writes(encoder: Encoder, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str) -> bytes:
    """A task's writes; the script puts prefix, 0 and u32 sequence before them."""
    slots = [[WRITES_IDX_MAP.get(channel, i), channel] for i, (channel, _) in enumerate(writes)]
    return encoder.encode([value for _, value in writes], [task_id, task_path, slots])


def read_writes(
    decoder: Decoder, prefix: bytes, members: Iterable[bytes], wanted: Container[str] | None = None
) -> list[PendingWrite]:
    """A checkpoint's writes (those to the `wanted` channels) in the order LangGraph applies them.

    A slot (task, index) that was written more than once keeps its first write, or its last where the index is
    negative: an error, an interrupt, an answer.
    """
    slots: dict[tuple[str, int], tuple[str, str, Callable[[], Any]]] = {}
    for member in members:
        (task_id, task_path, names), values = decoder.decode(member, len(prefix) + 1 + _U32.size)
        for (index, channel), value in zip(names, values, strict=True):
            if index < 0 or (task_id, index) not in slots:
                slots[task_id, index] = (task_path, channel, value)
    ordered = sorted(slots.items(), key=lambda slot: writes_sort_key(slot[1][0], *slot[0]))
    return [
        (task_id, channel, value())
        for (task_id, _), (_, channel, value) in ordered
        if wanted is None or channel in wanted
    ]
