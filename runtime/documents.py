"""JSON documents that several may change at once: a change is taken only if it was made to the latest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar
from uuid import uuid4

import orjson

from runtime.errors import Conflict, InvalidInput

T = TypeVar("T")
Document = bytes | str
"""As redis-py may return it; ours come as bytes."""
MAX_BYTES = 262_144
"""Of one document: a search reads all of a tenant's."""
_TRIES = 200
"""Of one change; each that fails means that somebody else's was taken."""


def encode(what: str, fields: Mapping[str, Any]) -> bytes:
    """A document that differs from every other, so that a repeated write is told from somebody else's.

    Raises InvalidInput naming `what` when it is larger than MAX_BYTES.
    """
    document = orjson.dumps({**fields, "token": uuid4().hex})
    if len(document) > MAX_BYTES:
        raise InvalidInput(f"{what} takes {len(document)} bytes; at most {MAX_BYTES} are kept")
    return document


def decode(document: Document) -> dict[str, Any]:
    """The fields of an `encode`."""
    fields: dict[str, Any] = orjson.loads(document)
    del fields["token"]
    return fields


async def until_taken(change: Callable[[], Awaitable[T | None]]) -> T:
    """The result of the first try that is not None: the one that nobody came in between. Raises Conflict."""
    for _ in range(_TRIES):
        result = await change()
        if result is not None:
            return result
    raise Conflict(f"others kept changing it at the same time; tried {_TRIES} times")


def contains(whole: Mapping[str, Any], part: Mapping[str, Any] | None) -> bool:
    """True when every key of `part` is in `whole` with the same value; objects within are compared alike."""
    for key, wanted in (part or {}).items():
        if key not in whole:
            return False
        value = whole[key]
        both = isinstance(wanted, Mapping) and isinstance(value, Mapping)
        if not (contains(value, wanted) if both else value == wanted):
            return False
    return True
