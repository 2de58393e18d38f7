"""Answers given before, of one tenant, in Redis: found again by the words of their question."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import anyio
import structlog
from pydantic import BaseModel, ValidationError
from redis.asyncio import Redis

from runtime.context import KeptAnswer
from runtime.keys import tagged
from runtime.redis_calls import FAILURES

Words = Callable[[str], Awaitable[Mapping[int, float]]]
"""Weights of a question's words by their numbers, stop words left out; {} where it has none."""

_TIMEOUT_S = 0.5
"""Of each use: searching anew takes less than waiting for a cache that hangs."""

log = structlog.get_logger()


class _Entry(BaseModel):
    """What is read of each answer to find one; the answer itself is read of that one alone."""

    question: str
    words: dict[int, float]
    revision: str
    under: str
    made: float
    """Seconds since 1970."""


class RedisAnswers:
    """An `AnswerCache`: two hashes for each tenant, of questions and of answers, by a random id.

    All questions are read to find one, 250 kB where there are 500. Damaged entries count as not there.
    """

    def __init__(
        self,
        redis: Redis,
        tenant: str,
        words: Words,
        *,
        similarity: float = 0.99,
        most: int = 500,
        age_s: float = 86_400,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`similarity` is the least cosine of two questions' words, in (0, 1]: at .99 one word more among
        fewer than 50 is another question. The newest `most` answers of the tenant are kept, for `age_s`.
        """
        self._redis: Any = redis  # redis-py types its async replies as sync ones too.
        self._questions = tagged(tenant, "answers:questions")
        self._answers = tagged(tenant, "answers:answers")
        self._words = words
        self._similarity = similarity
        self._most = most
        self._age_s = age_s
        self._now = now

    async def find(
        self, question: str, *, revision: str, under: str, same: Callable[[str], bool]
    ) -> KeptAnswer | None:
        words = await self._words(question)
        with anyio.move_on_after(_TIMEOUT_S):
            try:
                entries = await self._entries()
                await self._drop([id for id, one in entries.items() if not self._is_current(one, revision)])
                alike = {
                    id: cosine(words, one.words)
                    for id, one in entries.items()
                    if one.under == under and self._is_current(one, revision)
                }
                near = [id for id in alike if alike[id] >= self._similarity and same(entries[id].question)]
                best = max(near, key=lambda id: (alike[id], entries[id].made), default=None)
                return None if best is None else await self._read(best, entries[best])
            except FAILURES as exc:
                log.warning("answer_cache.unavailable", error=type(exc).__name__)
        return None

    async def keep(self, question: str, answer: Mapping[str, Any], *, revision: str, under: str) -> None:
        words = await self._words(question)
        if not words:
            return
        entry = _Entry(question=question, words=dict(words), revision=revision, under=under, made=self._now())
        with anyio.move_on_after(_TIMEOUT_S):
            try:
                entries = await self._entries()
                await self._write(uuid4().hex, entry, answer)
                await self._drop(self._surplus(entries, entry))
            except FAILURES as exc:
                log.warning("answer_cache.unavailable", error=type(exc).__name__)

    async def _entries(self) -> dict[str, _Entry]:
        rows = await self._redis.hgetall(self._questions)
        read = ((_text(id), _entry(data)) for id, data in rows.items())
        return {id: entry for id, entry in read if entry is not None}

    async def _read(self, id: str, entry: _Entry) -> KeptAnswer | None:
        data = await self._redis.hget(self._answers, id)
        try:
            answer = _Answer.model_validate_json(data or b"")
        except ValidationError:
            return None
        made_at = datetime.fromtimestamp(entry.made, UTC).isoformat(timespec="seconds")
        return KeptAnswer(entry.question, made_at, answer.answer)

    async def _write(self, id: str, entry: _Entry, answer: Mapping[str, Any]) -> None:
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(self._answers, id, json.dumps({"answer": answer}))
            pipe.hset(self._questions, id, json.dumps(entry.model_dump()))
            pipe.expire(self._answers, math.ceil(self._age_s))
            pipe.expire(self._questions, math.ceil(self._age_s))
            await pipe.execute()

    async def _drop(self, ids: list[str]) -> None:
        if ids:
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.hdel(self._questions, *ids)
                pipe.hdel(self._answers, *ids)
                await pipe.execute()

    def _surplus(self, entries: Mapping[str, _Entry], new: _Entry) -> list[str]:
        """Ids of what goes for the new one: what is not current, the same question's, and the oldest."""
        kept = {
            id: one
            for id, one in entries.items()
            if self._is_current(one, new.revision) and (one.question, one.under) != (new.question, new.under)
        }
        oldest = sorted(kept, key=lambda id: kept[id].made)[: max(len(kept) + 1 - self._most, 0)]
        return [*(id for id in entries if id not in kept), *oldest]

    def _is_current(self, entry: _Entry, revision: str) -> bool:
        return entry.revision == revision and entry.made > self._now() - self._age_s


class _Answer(BaseModel):
    answer: dict[str, Any]


def cosine(one: Mapping[int, float], other: Mapping[int, float]) -> float:
    """In [0, 1] for weights that are not negative; 0 where one has no words."""
    shared = sum(weight * other.get(word, 0.0) for word, weight in one.items())
    norms = math.hypot(*one.values()) * math.hypot(*other.values())
    return shared / norms if norms else 0.0


def _entry(data: bytes) -> _Entry | None:
    try:
        return _Entry.model_validate_json(data)
    except ValidationError:
        return None


def _text(id: bytes | str) -> str:
    return id.decode() if isinstance(id, bytes) else id
