"""The event log: one Redis stream per thread, whose entry ids are the protocol's `seq`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import orjson
from langchain_core.messages import BaseMessage
from pydantic import BaseModel
from redis.asyncio import Redis

from runtime.errors import StaleFence
from runtime.json_text import plain
from runtime.keys import fence_key, tagged
from runtime.scripts import load_script

_READ_PAGE = 500
_Entries = list[tuple[bytes, dict[bytes, bytes]]]


@dataclass(frozen=True)
class Event:
    """One event, encoded once. Servers filter by the fields and never decode the body."""

    method: str
    namespace: tuple[str, ...]
    name: str
    """`data.name` of a custom event, else ''."""
    body: str
    """The JSON envelope without `seq`."""

    def wire(self, seq: int) -> str:
        """The envelope as it travels."""
        return f'{{"seq":{seq},{self.body[1:]}'


@dataclass(frozen=True)
class Logged:
    """An event in its place on the thread."""

    seq: int
    event: Event


def encode_event(
    method: str,
    data: Any,
    *,
    event_id: str,
    namespace: Sequence[str] = (),
    timestamp_ms: int | None = None,
    more: Mapping[str, Any] | None = None,
) -> Event:
    """An event in the protocol's envelope; `data` may hold messages, pydantic models and dataclasses.

    `timestamp_ms` 0 is for a script to fill in. `more` stands beside `data` in the params.
    """
    name = data.get("name", "") if method == "custom" and isinstance(data, dict) else ""
    params = {
        "namespace": list(namespace),
        "timestamp": time.time_ns() // 1_000_000 if timestamp_ms is None else timestamp_ms,
        "data": data,
        **(more or {}),
    }
    envelope = {"type": "event", "event_id": event_id, "method": method, "params": params}
    return Event(method, tuple(namespace), name if isinstance(name, str) else "", encode_json(envelope))


def encode_json(value: Any) -> str:
    """JSON text of anything a graph's state may hold; what JSON cannot carry is shown as `plain` does."""
    try:
        return orjson.dumps(value, default=_jsonable, option=orjson.OPT_NON_STR_KEYS).decode()
    except orjson.JSONEncodeError:
        return orjson.dumps(plain(value, _jsonable)).decode()


def _jsonable(value: Any) -> Any:
    if isinstance(value, BaseMessage):
        return message_fields(value)
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    if isinstance(value, Mapping):
        return dict(value)
    # LangGraph's own records (Interrupt, Send) have slots; the rest is shown, not lost.
    slots = getattr(value, "__slots__", None)
    return {name: getattr(value, name) for name in slots} if slots else repr(value)


def message_fields(message: BaseMessage) -> dict[str, Any]:
    """A message in the wire's form: `{type, content, id, name?, tool_calls?, tool_call_id?, status?}`."""
    fields: dict[str, Any] = {"type": message.type, "content": message.content, "id": message.id}
    for key in ("name", "tool_calls", "tool_call_id", "status", "response_metadata"):
        if value := getattr(message, key, None):
            fields[key] = value
    return fields


def live_channel(thread: str) -> str:
    """The pub/sub channel that carries the thread's new events."""
    return tagged(thread, "live")


def flatten(events: Sequence[Event]) -> list[str]:
    """Script arguments: method, namespace, name, body of each event."""
    return [part for e in events for part in (e.method, "|".join(e.namespace), e.name, e.body)]


def unflatten(first_seq: int, parts: Sequence[str]) -> list[Logged]:
    """Undoes `flatten` for a published batch."""
    quads = zip(parts[0::4], parts[1::4], parts[2::4], parts[3::4], strict=True)
    return [_logged(first_seq + i, *quad) for i, quad in enumerate(quads)]


def _logged(seq: int, method: str, namespace: str, name: str, body: str) -> Logged:
    return Logged(seq, Event(method, tuple(namespace.split("|")) if namespace else (), name, body))


class EventLog:
    """Reads and appends. A thread's log holds at least its last `kept` events and all of a run in flight.

    Runs older than `age_s` leave it when a new one begins, and all of it goes `age_s` after the last one.
    """

    def __init__(self, client: Redis, kept: int, age_s: float) -> None:
        self._client = client
        self._kept = kept
        self._age_ms = round(age_s * 1000)
        self._append = load_script(client, "append_events", "event_append")

    def target(self, thread: str) -> tuple[str, int, int]:
        """What the runs' scripts need to know: the live channel, the events kept, their age in ms."""
        return live_channel(thread), self._kept, self._age_ms

    async def append(self, thread: str, fence: int, batch: int, events: Sequence[Event]) -> int:
        """The log's last seq. `batch` counts the writer's calls from 1, so that a resent one is written once.

        Raises StaleFence, having written nothing, when a newer claim of the run exists.
        """
        last = await self._append(
            keys=[fence_key(thread), tagged(thread, "thread"), tagged(thread, "events")],
            args=[fence, f"{fence}.{batch}", live_channel(thread), self._kept, *flatten(events)],
        )
        if last == -1:
            raise StaleFence(fence=fence)
        return int(last)

    async def read(self, thread: str, after: int, until: int | None = None) -> list[Logged]:
        """The page of events with `after` < seq ≤ `until`, oldest first; [] at the end."""
        entries = await self._client.xrange(
            tagged(thread, "events"), f"({after}-0", f"{until}-0" if until else "+", count=_READ_PAGE
        )
        return [_from_entry(entry_id, fields) for entry_id, fields in cast(_Entries, entries)]

    async def first_seq(self, thread: str) -> int | None:
        """The oldest event that is still there; None when there is none."""
        entries = await self._client.xrange(tagged(thread, "events"), "-", "+", count=1)
        return int(cast(_Entries, entries)[0][0].split(b"-")[0]) if entries else None

    async def last_seqs(self, threads: Sequence[str]) -> list[int]:
        """`last_seq` of each, in one round trip."""
        async with self._client.pipeline(transaction=False) as pipe:
            for thread in threads:
                pipe.hget(tagged(thread, "thread"), "seq")
            return [int(seq or 0) for seq in await pipe.execute()]

    async def last_seq(self, thread: str) -> int:
        """0 for a thread without events."""
        return int(await self._client.hget(tagged(thread, "thread"), "seq") or 0)


def _from_entry(entry_id: bytes, fields: Mapping[bytes, bytes]) -> Logged:
    text = {key: value.decode() for key, value in fields.items()}
    return _logged(int(entry_id.split(b"-")[0]), text[b"m"], text[b"n"], text[b"c"], text[b"b"])
