"""What we want of our server, and whether it is so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.checkpoints.goals import Goal
from benchmarks.stream.figures import Idle, Load

_FIRST_TOKEN_MS = 20
_TOKENS_PER_S = 6_000
_PEERS = 4
_MANY = 50
"""Clients at which the peer is compared with."""
_US_AN_EVENT = 60
_KIB_A_SOCKET = 40
_EFFECT = 1.10

Loads = Mapping[str, Sequence[Load]]
"""By path: `inline` and `split` are ours, `peer` is not."""


def goals(loads: Loads, idle: Idle | None) -> Iterator[Goal]:
    """Those that can be judged by what was measured."""
    for path in ("inline", "split"):
        for load in loads.get(path, ()):
            yield from _of(path, load)
            yield from _beside_peer(path, load, loads.get("peer", ()))
    if idle:
        yield Goal(f"{idle.sockets:,} idle sockets: KiB each", idle.kib_a_socket, _KIB_A_SOCKET)
        beside = f"{idle.sockets:,} idle sockets: median"
        yield Goal(f"{beside} turn beside them / without", idle.turn_ratio, _EFFECT)
        yield Goal(f"{beside} first token beside them / without", idle.first_token_ratio, _EFFECT)


def _of(path: str, load: Load) -> Iterator[Goal]:
    if load.clients == 1:
        yield Goal(f"{path}, 1 client: first token, median ms", load.first_token_ms.p50, _FIRST_TOKEN_MS)
        yield Goal(f"{path}, 1 client: tokens/s", load.tokens_per_s, _TOKENS_PER_S, at_least=True)
    # Where the server works too, its CPU is also the graph's.
    if "worker" in load.cpu_s and (spent := load.cpu_us_an_event("server")) is not None:
        yield Goal(f"{path}, {_clients(load)}: server CPU µs an event", spent, _US_AN_EVENT)


def _beside_peer(path: str, load: Load, peers: Sequence[Load]) -> Iterator[Goal]:
    for peer in peers:
        if load.clients == peer.clients == _MANY:
            ratio = load.tokens_per_s / peer.tokens_per_s
            yield Goal(f"{path}, {_clients(load)}: tokens/s / the peer's", ratio, _PEERS, at_least=True)


def _clients(load: Load) -> str:
    return "1 client" if load.clients == 1 else f"{load.clients} clients"
