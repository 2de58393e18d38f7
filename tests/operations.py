"""Calls of HTTP operations without HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import SimpleNamespace
from typing import Any, cast

import orjson

from runtime.api.call import Call, Operation
from runtime.context import User
from runtime.engine import Engine

ANA = User("acme", "ana", frozenset({"rep"}))
BO = User("acme", "bo", frozenset({"rep"}))
ENGINEER = User("acme", "eve", frozenset({"engineer"}))
ADMIN = User("acme", "ada", frozenset({"admin"}))
STRANGER = User("other", "ana", frozenset({"rep", "engineer", "admin"}))


def engine_of(**parts: Any) -> Engine:
    """An engine with the parts that a test needs."""
    return cast(Engine, SimpleNamespace(**parts))


async def ask(
    engine: Engine,
    function: Callable[..., Awaitable[Any]],
    body: Mapping[str, Any] | None = None,
    *,
    user: User = ANA,
    query: Mapping[str, str] | None = None,
    **path: str,
) -> Any:
    """What the operation answers; the body goes through its model, as from the wire."""
    call = Call(user, path, query or {})
    return await Operation("POST", "/", function).answer(engine, call, orjson.dumps(body or {}))
