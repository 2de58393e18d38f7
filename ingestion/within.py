"""Which points an operation is about: always those of one tenant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Values = Mapping[str, str | int]
Lists = Mapping[str, Sequence[str] | Sequence[int]]


@dataclass(frozen=True)
class Days:
    """From the first day to the last, both included, as `2026-11-21`; None: open."""

    first: str | None = None
    last: str | None = None


@dataclass(frozen=True)
class Within:
    """Points of one tenant whose payload is as said. There is no way to make one without a tenant.

    Every key is a field of the payload; a field that holds a list has the value when any of the list is it.
    Keys and values are compared as they are: nothing in them is syntax.
    """

    tenant: str
    equal: Values = field(default_factory=dict)
    """Has this value."""
    some: Lists = field(default_factory=dict)
    """Has one of these values; nothing has one of none."""
    but: Lists = field(default_factory=dict)
    """Has none of these values."""
    days: Mapping[str, Days] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.tenant:
            raise ValueError("points are of a tenant, and this one has no name")
