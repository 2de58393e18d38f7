"""What is measured of one path: a server, or the graph alone, under so many clients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from benchmarks.checkpoints.figures import Spread, spread


class Turn(NamedTuple):
    """Times count from the moment before the client opens the thread."""

    first_token_ms: float
    turn_ms: float
    """Until the client has the run's last event."""
    tokens: int
    events: int
    """That reached the client on its data socket; its watcher's two or three are not among them."""


class Load(NamedTuple):
    """What several clients saw together."""

    clients: int
    turns: Sequence[Turn]
    wall_s: float
    """From the first turn's beginning to the last one's end, closing the threads' sockets included."""
    client_cpu_s: float
    """Of all client processes, in that time."""
    cpu_s: Mapping[str, float]
    """By role: `server`, `worker`, `redis`."""

    @property
    def first_token_ms(self) -> Spread:
        return spread([turn.first_token_ms for turn in self.turns])

    @property
    def turn_ms(self) -> Spread:
        return spread([turn.turn_ms for turn in self.turns])

    @property
    def tokens_per_s(self) -> float:
        return sum(turn.tokens for turn in self.turns) / self.wall_s

    @property
    def client_cpu_ms(self) -> float:
        """A turn."""
        return self.client_cpu_s * 1e3 / len(self.turns)

    def cpu_ms(self, role: str) -> float | None:
        """A turn; None where this path has no such process."""
        return self.cpu_s[role] * 1e3 / len(self.turns) if role in self.cpu_s else None

    def cpu_us_an_event(self, role: str) -> float | None:
        """For each event that reached a client; None where this path has no such process."""
        events = sum(turn.events for turn in self.turns)
        return self.cpu_s[role] * 1e6 / events if role in self.cpu_s else None


class Idle(NamedTuple):
    """What idle sockets cost one server."""

    sockets: int
    kib_a_socket: float
    """Growth of the server's resident memory."""
    cpu_percent: float
    """Of one core, the server with nothing but these sockets."""
    redis_cpu_percent: float
    without: Sequence[Turn]
    """One client's turns before the sockets were opened and after they were closed."""
    beside: Sequence[Turn]
    """One client's turns while they were open."""

    @property
    def turn_ratio(self) -> float:
        """Median turn beside the sockets, of the one without them."""
        return _median(self.beside, 1) / _median(self.without, 1)

    @property
    def first_token_ratio(self) -> float:
        return _median(self.beside, 0) / _median(self.without, 0)


def _median(turns: Sequence[Turn], field: int) -> float:
    return spread([turn[field] for turn in turns]).p50
