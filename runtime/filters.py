"""What a subscription lets through."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from runtime.errors import InvalidInput
from runtime.events import Event

CHANNELS = frozenset(
    {"values", "updates", "messages", "tools", "lifecycle", "input", "checkpoints", "tasks", "custom"}
)
_MOST_CHANNELS = 64
_MOST_NAMESPACES = 256
_WATCHED = frozenset({"lifecycle", "input"})


@dataclass(frozen=True)
class Filter:
    channels: frozenset[str]
    namespaces: tuple[tuple[str, ...], ...] = ()
    """Prefixes; () lets every namespace through."""
    depth: int | None = None
    """Levels below a prefix; None: any. Not looked at when there is no prefix."""

    @property
    def watches_only(self) -> bool:
        return self.channels <= _WATCHED

    def matches(self, event: Event) -> bool:
        if not self._channel_matches(event):
            return False
        return not self.namespaces or any(self._within(event.namespace, p) for p in self.namespaces)

    def _channel_matches(self, event: Event) -> bool:
        channel = "input" if event.method == "input.requested" else event.method
        return channel in self.channels or (channel == "custom" and f"custom:{event.name}" in self.channels)

    def _within(self, namespace: tuple[str, ...], prefix: tuple[str, ...]) -> bool:
        if len(namespace) < len(prefix):
            return False
        if self.depth is not None and len(namespace) - len(prefix) > self.depth:
            return False
        return all(_same(part, wanted) for part, wanted in zip(namespace, prefix, strict=False))


def _same(part: str, wanted: str) -> bool:
    """`tools:42ce…` is also named by `tools`."""
    return part == wanted or (":" not in wanted and part.partition(":")[0] == wanted)


def parse_filter(params: dict[str, Any]) -> Filter:
    """Raises InvalidInput that names the value and what is allowed."""
    channels = params.get("channels")
    if not isinstance(channels, list) or not channels:
        raise InvalidInput("channels is required and must be a non-empty array")
    if len(channels) > _MOST_CHANNELS:
        raise InvalidInput(f"{len(channels)} channels; at most {_MOST_CHANNELS} are allowed")
    for channel in channels:
        if not isinstance(channel, str) or not (
            channel in CHANNELS or (channel.startswith("custom:") and len(channel) > len("custom:"))
        ):
            raise InvalidInput(f"unknown channel {channel!r}; known: {sorted(CHANNELS)} and custom:<name>")
    return _shared(frozenset(channels), _namespaces(params.get("namespaces")), _count(params.get("depth")))


@lru_cache(maxsize=256)
def _shared(channels: frozenset[str], namespaces: tuple[tuple[str, ...], ...], depth: int | None) -> Filter:
    """Most sockets subscribe to the same: thousands of idle ones share one filter."""
    return Filter(channels, namespaces, depth)


def _namespaces(value: Any) -> tuple[tuple[str, ...], ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(
        isinstance(prefix, list) and all(isinstance(part, str) for part in prefix) for prefix in value
    ):
        raise InvalidInput("namespaces must be an array of arrays of strings")
    if len(value) > _MOST_NAMESPACES:
        raise InvalidInput(f"{len(value)} namespaces; at most {_MOST_NAMESPACES} are allowed")
    return tuple(tuple(prefix) for prefix in value)


def _count(value: Any) -> int | None:
    """Booleans and negative numbers are no counts and are left out, as other servers do."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def parse_since(params: dict[str, Any]) -> int | None:
    """The last seq that the client has seen."""
    return _count(params.get("since"))
