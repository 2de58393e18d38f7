"""What JSON can carry: how deep an input may be nested, and a copy of anything that can be written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, time
from enum import Enum
from types import NoneType
from typing import Annotated, Any
from uuid import UUID

import orjson
from pydantic import AfterValidator

MAX_INPUT_LEVELS = 200
"""Of what a client sends: it comes back inside envelopes, lists of states and the states of subgraphs."""
MAX_LEVELS = 230
"""Of what is written; what lies deeper is cut. Python's recursion has room for it."""
_ORJSON_LEVELS = 254
"""At more, orjson raises "Recursion limit reached" (3.11, measured)."""
_CUT = "…"
_LEAST_INT, _MOST_INT = -(2**63), 2**64 - 1
_MAX_DECIMAL_BITS = 10_000
"""Python refuses to write more than 4,300 decimal digits."""
_SCALARS = (NoneType, bool, int, float, str, date, time, UUID)


def is_too_deep(value: Any) -> bool:
    """Whether a JSON value has more than MAX_INPUT_LEVELS of objects and arrays within each other."""
    for _ in range(_ORJSON_LEVELS - MAX_INPUT_LEVELS):
        value = [value]
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError:
        return True
    return False


def _shallow(value: Any) -> Any:
    if is_too_deep(value):
        raise ValueError(f"nested too deep; {MAX_INPUT_LEVELS} levels are allowed")
    return value


Shallow = AfterValidator(_shallow)
JsonObject = Annotated[Mapping[str, Any], Shallow]
"""A field of a body; what is nested too deep is refused under the field's name."""


def plain(value: Any, opened: Callable[[Any], Any], above: tuple[int, ...] = ()) -> Any:
    """A copy of `value` that orjson writes whatever was in it.

    Odd keys and integers of more than 64 bits become strings, halves of surrogate pairs U+FFFD, and what lies
    deeper than MAX_LEVELS, or within itself, "…". `opened` gives the content of what is neither a scalar nor
    a container; `above` are the ids of what `value` lies in.
    """
    if isinstance(value, Enum):
        return plain(value.value, opened, above)
    if isinstance(value, _SCALARS):
        return _scalar(value)
    if len(above) >= MAX_LEVELS or id(value) in above:
        return _CUT
    within, content = (*above, id(value)), _content(value, opened)
    if isinstance(content, dict):
        return {_key(key): plain(part, opened, within) for key, part in content.items()}
    if isinstance(content, list):
        return [plain(part, opened, within) for part in content]
    return plain(content, opened, within)


def _content(value: Any, opened: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        return value
    if isinstance(value, list | tuple):
        return list(value)
    try:
        if is_dataclass(value) and not isinstance(value, type):
            return {f.name: getattr(value, f.name) for f in fields(value) if not f.name.startswith("_")}
        return opened(value)
    except (ValueError, TypeError, AttributeError):
        # A model that cannot be dumped, a slot that was never filled: that is of its graph's making.
        return f"<{type(value).__name__}>"


def _scalar(value: Any) -> Any:
    if isinstance(value, str):
        # By way of UTF-16 two halves that belong together become one character again.
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, int) and not _LEAST_INT <= value <= _MOST_INT:
        return str(value) if value.bit_length() <= _MAX_DECIMAL_BITS else hex(value)
    return float(value) if isinstance(value, float) else value


def _key(key: Any) -> str:
    """As orjson writes keys that are no strings, and str() of those that it does not."""
    scalar = key.value if isinstance(key, Enum) else key
    if not isinstance(scalar, _SCALARS):
        scalar = str(scalar)
    text = _scalar(scalar)
    return text if isinstance(text, str) else orjson.dumps(text).decode()
