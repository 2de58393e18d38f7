"""A value as blocks that are stored once, and a skeleton that refers to them.

Lists are cut into chunks with content-defined borders, and a row of chunks into groups in the same way: a
history that grew by one message shares all but its last few blocks with the one before, and refers to few, so
the stored bytes grow linearly.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import ormsgpack
from langgraph.checkpoint.serde.types import _DeltaSnapshot

from runtime.checkpoint_bytes import Codec

Blocks = dict[bytes, list[bytes]]
"""By the block's name: `e` + digest (one serialized element), `l` + digest (8 to 64 of a list, a chunk) or
`g` + digest (the names of 8 to 64 chunks in a row, a group)."""

NAME_BYTES = 17
_REF_BYTES = 64
"""A value at least this long becomes a block; a shorter one stands in the skeleton."""
_SPLIT_CHARS = 32
"""Lists of numbers, or of texts shorter than this, are stored whole: splitting would cost more."""
_CHUNK_MIN, _CHUNK_MAX, _BORDER_MASK = 8, 64, 15
"""One digest in 16 ends a chunk, so a chunk has 23 elements on average, and a group 23 chunks."""
_DEPTH, _KEYS = 3, 64
"""How deep, and how wide, dicts are looked into for lists that grow."""

_LIST, _DICT, _SNAPSHOT = 1, 2, 3
_U32 = struct.Struct(">I")
_Refs = dict[bytes, int]


class Encoder:
    """Encodes the values of one operation; `blocks` collects what they refer to."""

    def __init__(self, codec: Codec) -> None:
        self.blocks: Blocks = {}
        self._codec = codec

    def encode(self, values: Sequence[Any], head: Any = None) -> bytes:
        """u32 count and the names of the blocks; then, sealed, the head (plain values) and the skeletons."""
        refs: _Refs = {}
        skeleton = [head, [self._node(value, refs, _DEPTH) for value in values]]
        return pack_refs(list(refs)) + self._codec.seal(ormsgpack.packb(skeleton))

    def payload(self, name: bytes) -> bytes:
        """The stored form of a block. That of a group is not sealed: the scripts follow its names."""
        parts = self.blocks[name]
        if is_group(name):
            return pack_refs(parts)
        return self._codec.seal(b"".join(_U32.pack(len(p)) + p for p in parts))

    def _node(self, value: Any, refs: _Refs, depth: int) -> Any:
        kind = type(value)
        if kind is _DeltaSnapshot:
            return [_SNAPSHOT, self._node(value.value, refs, depth)]
        if depth and kind is list and _is_worth_splitting(value):
            return self._split(value, refs)
        if depth and kind is dict and _has_parts(value):
            return [_DICT, [[key, self._node(part, refs, depth - 1)] for key, part in value.items()]]
        return self._leaf(self._codec.dumps(value), refs)

    def _split(self, items: list[Any], refs: _Refs) -> Any:
        serialized = [self._codec.dumps(item) for item in items]
        digests = [self._codec.digest(item) for item in serialized]
        chunks, chunked = self._cut(b"l", serialized, digests)
        groups, grouped = self._cut(b"g", chunks, chunks)
        return [
            _LIST,
            [refs.setdefault(name, len(refs)) for name in groups],
            [refs.setdefault(name, len(refs)) for name in chunks[grouped:]],
            [self._leaf(item, refs) for item in serialized[chunked:]],
        ]

    def _cut(self, kind: bytes, parts: list[bytes], digests: list[bytes]) -> tuple[list[bytes], int]:
        """The names of the blocks that hold the parts up to the last border, and where that is."""
        names, start = [], 0
        for end in _borders(digests):
            name = kind + self._codec.digest(b"".join(digests[start:end]))
            self.blocks[name] = parts[start:end]
            names.append(name)
            start = end
        return names, start

    def _leaf(self, serialized: bytes, refs: _Refs) -> bytes | int:
        if len(serialized) < _REF_BYTES:
            return serialized
        name = b"e" + self._codec.digest(serialized)
        self.blocks[name] = [serialized]
        return refs.setdefault(name, len(refs))


class Decoded(NamedTuple):
    head: Any
    values: list[Callable[[], Any]]
    """Built when called: not every one that was read is wanted."""


class Decoder:
    """Decodes the values of one reply from the blocks that came with it.

    With a `memo`, each block is decoded once and its objects are shared by all values that hold them.
    """

    def __init__(
        self, codec: Codec, stored: Mapping[bytes, bytes], memo: dict[bytes, list[Any]] | None = None
    ) -> None:
        self._codec = codec
        self._stored = stored
        self._memo = memo

    def decode(self, data: bytes, at: int = 0) -> Decoded:
        """What `Encoder.encode` was given, from `data[at:]`."""
        names, end = read_refs(data, at)
        head, nodes = ormsgpack.unpackb(self._codec.open(data[end:]))
        return Decoded(head, [partial(self._value, node, names) for node in nodes])

    def _value(self, node: Any, names: Sequence[bytes]) -> Any:
        if isinstance(node, bytes):
            return self._codec.loads(node)
        if isinstance(node, int):
            return self._elements(names[node])[0]
        if node[0] == _SNAPSHOT:
            return _DeltaSnapshot(self._value(node[1], names))
        if node[0] == _DICT:
            return {key: self._value(part, names) for key, part in node[1]}
        *levels, leaves = node[1:]
        items = [item for level in levels for ref in level for item in self._elements(names[ref])]
        return items + [self._value(leaf, names) for leaf in leaves]

    def _elements(self, name: bytes) -> list[Any]:
        if self._memo is not None and name in self._memo:
            return self._memo[name]
        if is_group(name):
            elements = [item for chunk in read_refs(self._stored[name])[0] for item in self._elements(chunk)]
        else:
            block = self._codec.open(self._stored[name])
            elements = [self._codec.loads(part) for part in _parts(block)]
        if self._memo is not None:
            self._memo[name] = elements
        return elements


def is_group(name: bytes) -> bool:
    """Whether the block holds the names of others; where it is stored, they are."""
    return name.startswith(b"g")


def pack_refs(names: Sequence[bytes]) -> bytes:
    """The count and the names, as the scripts read them."""
    return _U32.pack(len(names)) + b"".join(names)


def read_refs(data: bytes, at: int = 0) -> tuple[list[bytes], int]:
    """The names that stand at `at`, and where they end."""
    (count,) = _U32.unpack_from(data, at)
    start, end = at + _U32.size, at + _U32.size + count * NAME_BYTES
    return [data[i : i + NAME_BYTES] for i in range(start, end, NAME_BYTES)], end


def _is_worth_splitting(items: list[Any]) -> bool:
    sample = items[:: len(items) // 3 or 1][:3]
    return not all(_is_small(item, _SPLIT_CHARS) for item in sample)


def _has_parts(value: dict[Any, Any]) -> bool:
    keys_fit = len(value) <= _KEYS and all(type(key) is str for key in value)
    return keys_fit and not all(_is_small(part) for part in value.values())


def _is_small(value: Any, below: int = _REF_BYTES) -> bool:
    kind = type(value)
    return value is None or kind in (bool, int, float) or (kind is str and len(value) < below)


def _borders(digests: Sequence[bytes]) -> Iterator[int]:
    start = 0
    for end, digest in enumerate(digests, 1):
        size = end - start
        if size == _CHUNK_MAX or (size >= _CHUNK_MIN and not digest[-1] & _BORDER_MASK):
            yield end
            start = end


def _parts(block: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(block):
        (size,) = _U32.unpack_from(block, at)
        yield block[at + _U32.size : at + _U32.size + size]
        at += _U32.size + size
