"""The store's operations, as sequences of Redis commands."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson
from langgraph.store.base import GetOp, Item, ListNamespacesOp, Op, PutOp, Result, SearchItem, SearchOp

from runtime.errors import InvalidInput
from runtime.keys import tagged
from runtime.redis_calls import Command, Operation, ask, command, script
from runtime.store_matching import takes_item, takes_namespace

_ROOTS = "store:roots"
"""Set of the first labels in use: each has keys of its own, on its own cluster slot."""
_HEAD = struct.Struct(">ddd")
_PAGE = 256
_NAMESPACES = 1000
_MINUTE_MS = 60_000

Namespace = tuple[str, ...]


class _Record(NamedTuple):
    created_at: datetime
    updated_at: datetime
    ttl_ms: float
    value: dict[str, Any]


def execute(ops: Sequence[Op]) -> Operation[list[Result]]:
    """The results in the order of the operations. Reads see the store as it is before the batch's puts."""
    results: list[Result] = [None] * len(ops)
    gets = {i: op for i, op in enumerate(ops) if isinstance(op, GetOp)}
    if gets:
        records = yield [_get(op) for op in gets.values()]
        for (i, op), record in zip(gets.items(), records, strict=True):
            results[i] = None if record is None else _item(op.namespace, op.key, _read(record))
    for i, asked in enumerate(ops):
        if isinstance(asked, SearchOp):
            results[i] = yield from _search(asked)
        elif isinstance(asked, ListNamespacesOp):
            results[i] = yield from _list_namespaces(asked)
    last = {(op.namespace, op.key): op for op in ops if isinstance(op, PutOp)}
    if last:
        yield [call for op in last.values() for call in _put(op)]
    return results


def _get(op: GetOp) -> Command:
    return _root_script("get", _root(op.namespace), _member(op.namespace, op.key), int(op.refresh_ttl))


def _put(op: PutOp) -> list[Command]:
    root, member = _root(op.namespace), _member(op.namespace, op.key)
    if op.value is None:
        return [_root_script("delete", root, member)]
    ttl_ms = round((op.ttl or 0) * _MINUTE_MS)
    return [command("SADD", _ROOTS, root), _root_script("put", root, member, _dumps(op), ttl_ms)]


def _search(op: SearchOp) -> Operation[list[SearchItem]]:
    found: list[tuple[bytes, SearchItem, _Record]] = []
    until = op.offset + op.limit
    for root in (yield from _roots(op.namespace_prefix)):
        start, end = _range(op.namespace_prefix)
        while start and len(found) < until:
            last, *pairs = yield from ask(_root_script("page", root, start, end, _PAGE))
            for member, data in zip(pairs[::2], pairs[1::2], strict=True):
                record = _read(data)
                if takes_item(op.filter, record.value):
                    found.append((member, _search_item(member, record), record))
            start = b"(" + last if last else b""
    chosen = found[op.offset : until]
    if op.refresh_ttl:
        yield from _refresh((member, record) for member, _, record in chosen)
    return [item for _, item, _ in chosen]


def _refresh(chosen: Iterable[tuple[bytes, _Record]]) -> Operation[None]:
    members: dict[str, list[bytes]] = {}
    for member, record in chosen:
        if record.ttl_ms:
            members.setdefault(_root(_split(member)[0]), []).append(member)
    if members:
        yield [_root_script("refresh", root, *some) for root, some in members.items()]


def _list_namespaces(op: ListNamespacesOp) -> Operation[list[Namespace]]:
    conditions = op.match_conditions or ()
    prefixes = [condition.path for condition in conditions if condition.match_type == "prefix"]
    roots = yield from _roots(next((path for path in prefixes if path[:1] != ("*",)), ()))
    found: set[Namespace] = set()
    for root in roots:
        start = b"-"
        while start:
            start, *names = yield from ask(_root_script("namespaces", root, start, _NAMESPACES))
            namespaces = (tuple(name.decode().split("\0")) for name in names)
            found |= {
                namespace[: op.max_depth]
                for namespace in namespaces
                if all(takes_namespace(condition, namespace) for condition in conditions)
            }
    return sorted(found)[op.offset : op.offset + op.limit]


def _roots(prefix: Sequence[str]) -> Operation[list[str]]:
    if prefix:
        return [prefix[0]]
    names = yield from ask(command("SMEMBERS", _ROOTS))
    return sorted(name.decode() for name in names)


def _root_script(name: str, root: str, *args: Any) -> Command:
    keys = [tagged(f"store/{root}", kind) for kind in ("index", "items", "deadlines")]
    return script(["store_common", f"store_{name}"], keys, *args)


def _root(namespace: Namespace) -> str:
    return namespace[0] if namespace else ""


def _member(namespace: Namespace, key: str) -> bytes:
    return ("\0".join(namespace) + "\0\0" + key).encode()


def _split(member: bytes) -> tuple[Namespace, str]:
    labels, _, key = member.decode().partition("\0\0")
    return tuple(labels.split("\0")), key


def _range(prefix: Namespace) -> tuple[bytes, bytes]:
    labels = "\0".join(prefix).encode()
    return (b"[" + labels + b"\0", b"(" + labels + b"\1") if prefix else (b"-", b"+")


def _dumps(op: PutOp) -> bytes:
    try:
        # Passed through means refused: a date that comes back as text would be a surprise.
        options = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
        return orjson.dumps(dict(op.value or {}), option=options)
    except TypeError as exc:
        raise InvalidInput(f"the value of {op.key!r} is no JSON: {exc}") from exc


def _read(data: bytes) -> _Record:
    created_us, updated_us, ttl_ms = _HEAD.unpack_from(data)
    value: dict[str, Any] = orjson.loads(data[_HEAD.size :])
    return _Record(_time(created_us), _time(updated_us), ttl_ms, value)


def _time(microseconds: float) -> datetime:
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC)


def _item(namespace: Namespace, key: str, record: _Record) -> Item:
    return Item(
        value=record.value,
        key=key,
        namespace=namespace,
        created_at=record.created_at,
        updated_at=record.updated_at,
    )


def _search_item(member: bytes, record: _Record) -> SearchItem:
    namespace, key = _split(member)
    return SearchItem(namespace, key, record.value, record.created_at, record.updated_at)
