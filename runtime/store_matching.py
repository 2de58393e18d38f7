"""Which items a filter takes, and which namespaces a condition takes, as LangGraph's stores decide it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from langgraph.store.base import MatchCondition

from runtime.errors import InvalidInput

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "$eq": operator.eq,
    "$ne": operator.ne,
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}


def takes_item(filter: Mapping[str, Any] | None, value: Mapping[str, Any]) -> bool:
    """True when each of the filter's fields matches: a value, nested ones, or comparisons (`{"$gt": 3}`).

    Raises InvalidInput for an unknown comparison.
    """
    return all(_matches(value.get(field), wanted) for field, wanted in (filter or {}).items())


def takes_namespace(condition: MatchCondition, namespace: Sequence[str]) -> bool:
    """True when the namespace begins, or ends, with the condition's path; `*` stands for any label."""
    path = condition.path
    if len(namespace) < len(path):
        return False
    part = namespace[: len(path)] if condition.match_type == "prefix" else namespace[-len(path) :]
    return all(wanted in ("*", label) for wanted, label in zip(path, part, strict=True))


def _matches(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        if any(key.startswith("$") for key in wanted):
            return all(_compares(value, name, bound) for name, bound in wanted.items())
        return isinstance(value, Mapping) and takes_item(wanted, value)
    if isinstance(wanted, list | tuple):
        if not isinstance(value, list) or len(value) != len(wanted):
            return False
        return all(_matches(one, other) for one, other in zip(value, wanted, strict=True))
    return bool(value == wanted)


def _compares(value: Any, name: str, bound: Any) -> bool:
    compare = _COMPARISONS.get(name)
    if compare is None:
        raise InvalidInput(f"no comparison {name!r}; known: {sorted(_COMPARISONS)}")
    try:
        return bool(compare(value, bound))
    except TypeError:  # Values without a common order: a missing field and a number, say.
        return False
