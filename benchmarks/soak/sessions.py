"""Sessions that play turns on threads, which they end and begin anew."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple
from uuid import uuid4

import anyio
import httpx
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import APIStatusError

from benchmarks.stream.client import WrongAnswer, play_turn

TOKENS = 40
_MOST_TURNS = 6
"""Of one thread; each has from one to so many."""
_PAUSE_S = (1.0, 5.0)
"""Before a session's next turn: 50 sessions then play some 15 turns a second."""
_TIMEOUT_S = 60.0


class Played(NamedTuple):
    at_s: float
    """The turn's end, by time.monotonic()."""
    ms: float


@dataclass
class Record:
    """What all sessions did together."""

    live: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    """Threads that were deleted."""
    played: list[Played] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    """Turns and deletions that failed, by the error's name."""


async def hold_session(client: LangGraphClient, number: int, record: Record, until_s: float) -> None:
    """Plays until `until_s` (time.monotonic()); its last thread stays live."""
    random = Random(number)
    await anyio.sleep(random.uniform(0, _PAUSE_S[1]))  # Not all at once.
    while time.monotonic() < until_s:
        thread_id = str(uuid4())
        record.live.add(thread_id)
        for _ in range(random.randint(1, _MOST_TURNS)):
            await _play(client, thread_id, record)
            await anyio.sleep(random.uniform(*_PAUSE_S))
            if time.monotonic() >= until_s:
                return
        await _end(client, thread_id, record)


async def _play(client: LangGraphClient, thread_id: str, record: Record) -> None:
    try:
        with anyio.fail_after(_TIMEOUT_S):
            turn = await play_turn(client, TOKENS, thread_id)
    # RuntimeError is how the SDK tells of a refused command.
    except (TimeoutError, WrongAnswer, RuntimeError, httpx.HTTPError, APIStatusError) as exc:
        record.failures[f"turn: {type(exc).__name__}"] += 1
    else:
        record.played.append(Played(time.monotonic(), turn.turn_ms))


async def _end(client: LangGraphClient, thread_id: str, record: Record) -> None:
    try:
        with anyio.fail_after(_TIMEOUT_S):
            await client.threads.delete(thread_id)
    except (TimeoutError, httpx.HTTPError, APIStatusError) as exc:
        record.failures[f"delete: {type(exc).__name__}"] += 1
    else:
        record.live.discard(thread_id)
        record.ended.add(thread_id)
