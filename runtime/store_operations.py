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
from runtime.store_index import Candidate, Entry, Namespace
from runtime.store_matching import takes_item, takes_namespace

_ROOTS = "store:roots"
"""Set of the first labels in use: each has keys of its own, on its own cluster slot."""
_HEAD = struct.Struct(">ddd")
_PAGE = 256
_NAMESPACES = 1000
_MINUTE_MS = 60_000


class Written(NamedTuple):
    """What a batch did last to an item: a put, or a deletion when the value is None."""

    op: PutOp
    version: int
    """The put's `updated_at` in µs since 1970; later than that of any earlier put of the item."""


class Done(NamedTuple):
    """What came of a batch."""

    results: list[Result]
    """In the order of the operations."""
    written: list[Written]
    """One for each item."""


class _Record(NamedTuple):
    created_at: datetime
    updated_at: datetime
    version: int
    ttl_ms: float
    value: dict[str, Any]


class Match(NamedTuple):
    """An item that a search found, and how it is stored."""

    item: SearchItem
    member: bytes
    expires: bool


class Confirmed(NamedTuple):
    """What the store says of an index's candidates."""

    matches: list[Match]
    """In the candidates' order."""
    stale: list[Entry]
    """Of items that are gone, or that were put again since."""


def execute(ops: Sequence[Op]) -> Operation[Done]:
    """Reads see the store as it is before the batch's puts."""
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
    return Done(results, (yield from _write(ops)))


def confirm(op: SearchOp, candidates: Sequence[Candidate]) -> Operation[Confirmed]:
    """Reads the candidates, which are under the prefix, until enough of them match for `op`'s page."""
    confirmed = Confirmed([], [])
    for at in range(0, len(candidates), _PAGE):
        if len(confirmed.matches) >= op.offset + op.limit:
            break
        page = candidates[at : at + _PAGE]
        members = [_member(entry.namespace, entry.key) for entry, _ in page]
        records = yield from ask(_root_script("read", _root(op.namespace_prefix), *members))
        for (entry, score), member, data in zip(page, members, records, strict=True):
            record = data and _read(data)
            if not record or record.version != entry.version:
                confirmed.stale.append(entry)
            elif takes_item(op.filter, record.value):
                confirmed.matches.append(_match(member, record, score))
    return confirmed


def take(op: SearchOp, matches: Sequence[Match]) -> Operation[list[SearchItem]]:
    """The page that `op` asks for; its items' time to live begins anew unless `op` says otherwise."""
    page = matches[op.offset : op.offset + op.limit]
    if op.refresh_ttl:
        yield from _refresh(match.member for match in page if match.expires)
    return [match.item for match in page]


def dumps(op: PutOp) -> bytes:
    """The value as it is stored. Raises InvalidInput where it is no JSON."""
    try:
        # Passed through means refused: a date that comes back as text would be a surprise.
        options = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
        return orjson.dumps(dict(op.value or {}), option=options)
    except TypeError as exc:
        raise InvalidInput(f"the value of {op.key!r} is no JSON: {exc}") from exc


def _get(op: GetOp) -> Command:
    return _root_script("get", _root(op.namespace), _member(op.namespace, op.key), int(op.refresh_ttl))


def _write(ops: Sequence[Op]) -> Operation[list[Written]]:
    last = list({(op.namespace, op.key): op for op in ops if isinstance(op, PutOp)}.values())
    if not last:
        return []
    roots = {_root(op.namespace) for op in last if op.value is not None}
    announced = [command("SADD", _ROOTS, *roots)] if roots else []
    replies = yield [*announced, *(_put(op) for op in last)]
    return [Written(*pair) for pair in zip(last, replies[len(announced) :], strict=True)]


def _put(op: PutOp) -> Command:
    root, member = _root(op.namespace), _member(op.namespace, op.key)
    if op.value is None:
        return _root_script("delete", root, member)
    return _root_script("put", root, member, dumps(op), round((op.ttl or 0) * _MINUTE_MS))


def _search(op: SearchOp) -> Operation[list[SearchItem]]:
    found: list[Match] = []
    until = op.offset + op.limit
    for root in (yield from _roots(op.namespace_prefix)):
        start, end = _range(op.namespace_prefix)
        while start and len(found) < until:
            last, *pairs = yield from ask(_root_script("page", root, start, end, _PAGE))
            for member, data in zip(pairs[::2], pairs[1::2], strict=True):
                record = _read(data)
                if takes_item(op.filter, record.value):
                    found.append(_match(member, record))
            start = b"(" + last if last else b""
    return (yield from take(op, found))


def _refresh(members: Iterable[bytes]) -> Operation[None]:
    by_root: dict[str, list[bytes]] = {}
    for member in members:
        by_root.setdefault(_root(_split(member)[0]), []).append(member)
    if by_root:
        yield [_root_script("refresh", root, *some) for root, some in by_root.items()]


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


def _read(data: bytes) -> _Record:
    created_us, updated_us, ttl_ms = _HEAD.unpack_from(data)
    value: dict[str, Any] = orjson.loads(data[_HEAD.size :])
    return _Record(_time(created_us), _time(updated_us), int(updated_us), ttl_ms, value)


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


def _match(member: bytes, record: _Record, score: float | None = None) -> Match:
    namespace, key = _split(member)
    item = SearchItem(namespace, key, record.value, record.created_at, record.updated_at, score)
    return Match(item, member, bool(record.ttl_ms))
