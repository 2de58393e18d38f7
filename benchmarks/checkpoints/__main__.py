"""Checkpoint savers side by side, in one run: bytes stored, times of operations, turns a second.

    make bench-checkpoints                      (about 7 minutes)
    python -m benchmarks.checkpoints --quick    (one round, without the longest conversation)

Bytes and single operations: a real graph runs once on a recorder for each saver, and what LangGraph called
is then called again on the saver itself, one call after the other, so that the times are the saver's alone.
Turns a second: the real graph, 50 threads at once on one saver, `durability="sync"`. A question and an
answer have about 500 bytes of text each; shorter ones bring the savers closer together.

Rounds go from saver to saver, and of each figure the best round counts. "At 10 turns" are turns 6 to 10 of
ten threads, "at 200" turns 151 to 200; gets are of the newest checkpoint, a hundred a round; the 600
checkpoints of 200 turns are listed five times a round, the 30 of each of the ten threads as often. A saver
whose answer has not the right length ends the run: its times would mean nothing.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Sequence
from typing import NamedTuple

import anyio

from benchmarks.checkpoints.figures import LONG, Figures, Round, best
from benchmarks.checkpoints.goals import FULL, goals
from benchmarks.checkpoints.measure import measure_round, stored_bytes
from benchmarks.checkpoints.peers import PEERS, Peer
from benchmarks.checkpoints.servers import Servers, open_servers
from benchmarks.checkpoints.table import show, show_goals
from benchmarks.checkpoints.workload import Turn, record


class Plan(NamedTuple):
    sizes: tuple[int, ...]
    """Turns after which the bytes are counted."""
    rounds: int
    budget_s: float
    """For a saver to store the longest conversation."""


WHOLE = Plan((10, 50, LONG, FULL), 3, 60)
QUICK = Plan((10, 50, LONG), 1, 10)


async def run(plan: Plan) -> None:
    async with open_servers() as servers:
        peers = [peer for peer in PEERS if peer.server not in servers.missing]
        figures = await measure(peers, servers, plan)
    missing = {p.name: servers.missing[p.server] for p in PEERS if p.server in servers.missing}
    show(figures, missing, plan.sizes)
    show_goals(goals(figures))


async def measure(peers: Sequence[Peer], servers: Servers, plan: Plan) -> dict[str, Figures]:
    turns = {peer.name: await recorded(peer, servers, plan.sizes[-1]) for peer in peers}
    gc.collect()
    gc.freeze()  # The recordings are large, and walking them would slow every saver.
    stored: dict[str, dict[int, int]] = {}
    for peer in peers:
        tell("bytes", peer)
        async with peer.open(servers) as store:
            stored[peer.name] = await stored_bytes(store, turns[peer.name], plan.sizes, plan.budget_s)
    rounds: dict[str, list[Round]] = {peer.name: [] for peer in peers}
    for n in range(plan.rounds):
        for peer in [*peers[n:], *peers[:n]]:  # Each has another one before it in each round.
            tell(f"round {n + 1} of {plan.rounds}", peer)
            async with peer.open(servers) as store:
                rounds[peer.name].append(await measure_round(store, turns[peer.name]))
    return {name: best(stored[name], rounds[name]) for name in rounds}


async def recorded(peer: Peer, servers: Servers, turns: int) -> list[Turn]:
    async with peer.open(servers) as store:
        return await record(store.saver, turns)


def tell(what: str, peer: Peer) -> None:
    print(f"{what}: {' '.join(peer.name.split())}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.checkpoints")
    parser.add_argument("--quick", action="store_true", help="one round, without the longest conversation")
    anyio.run(run, QUICK if parser.parse_args().quick else WHOLE)
