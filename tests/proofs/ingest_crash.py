"""Crash-proof ingestion: workers killed while 50 documents are read; the index must be that of a calm run.

`python -m tests.proofs.ingest_crash --kills 20` prints a table. Each round reads them for a
tenant of its own, with one SIGKILL at a moment by chance; every fifth hits the server, which owns the index.
"""

from __future__ import annotations

import random
from argparse import ArgumentParser
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import anyio
import orjson

from compose import Installation, open_installation
from compose_knowledge import open_index
from ingestion.sources.locate import locate
from ingestion.sources.source import Source
from ingestion.within import Within
from runtime.embedded_redis import embedded_redis
from runtime.log import configure
from runtime.settings import load
from terminal.ingest_runs import Outcome, Watch, ingest_all
from tests.proofs.processes import Member, open_members
from tests.samples import SAMPLES

CALM = "calm"
"""The tenant for whom nothing is killed."""
_HEARTBEAT_S = "2"
_ALL_FIELDS = [
    "document",
    "document_id",
    "version",
    "chunk_id",
    "parent_id",
    "text",
    "parent_text",
    "start",
    "end",
    "ordinal",
]
"""Of a point. `ingested_at` is left out: it is the time of the run, and each tenant has runs of its own."""

Points = Counter[bytes]
"""How often a tenant's index holds each point."""


@dataclass
class Place:
    """An installation whose processes can be killed; `commands` asks them from this one."""

    server: Member
    workers: Sequence[Member]
    commands: Installation
    sources: Sequence[Source]
    random: random.Random


@dataclass(frozen=True)
class Round:
    tenant: str
    killed: str
    after_s: float
    took_s: float
    outcomes: Sequence[Outcome]


def write_documents(folder: Path, count: int) -> None:
    """Markdown, CSV and the samples: each of a few chunks, the same for the same count."""
    folder.mkdir()
    for path in SAMPLES.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    for number in range(count - len(list(folder.iterdir()))):
        words = random.Random(number).choices(["seats", "price", "terms", "plan", "价格", "席位"], k=600)
        text = "".join(f"# Part {at}\n\n{' '.join(words[at : at + 60])}.\n\n" for at in range(0, 600, 60))
        (folder / f"{number}.md").write_text(text)


@asynccontextmanager
async def open_place(redis_url: str, folder: Path, documents: int, seed: int) -> AsyncIterator[Place]:
    """A server that owns the index, two workers with data folders of their own, and the documents."""
    write_documents(folder / "documents", documents)
    settings = {"CORNERMAN_HEARTBEAT_S": _HEARTBEAT_S, "CORNERMAN_INGEST_PROCESSES": "1"}
    given = load(data_dir=folder / "commands", redis_url=redis_url)
    async with (
        open_members(redis_url, folder, servers=1, workers=2, settings=settings) as (servers, workers),
        open_installation(given, own_index=False, work=False) as commands,
    ):
        sources = await locate([folder / "documents"])
        yield Place(servers[0], workers, commands, sources, random.Random(seed))


async def play_round(place: Place, tenant: str, victim: Member | None, within_s: float) -> Round:
    """Reads all documents for the tenant; kills `victim` at some moment of the first `within_s` seconds."""
    began, after_s = monotonic(), place.random.uniform(0, within_s)
    outcomes: list[Outcome] = []

    async def read() -> None:
        watch = Watch(lambda *_: None, lambda *_: None, lambda *_: None)
        outcomes.extend(await ingest_all(place.commands, tenant, place.sources, watch, {}))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read)
        if victim:
            await anyio.sleep(after_s)
            await victim.kill()
            await victim.start()
    return Round(tenant, victim.kind if victim else "nobody", after_s, monotonic() - began, outcomes)


async def points_of(folder: Path, tenants: Sequence[str]) -> dict[str, Points]:
    """What the index holds for each tenant, when its owner has ended; staged versions count too."""
    found = {}
    async with open_index(load(data_dir=folder / "serve0")) as knowledge:
        for tenant in tenants:
            here = await knowledge.collections.current()
            rows = await here.index.read(Within(tenant), _ALL_FIELDS)
            found[tenant] = Counter(orjson.dumps(row, option=orjson.OPT_SORT_KEYS) for row in rows)
    return found


def faults(rounds: Sequence[Round], points: dict[str, Points]) -> list[str]:
    """What is wrong; none, if all is well."""
    said = []
    for played in rounds:
        for outcome in played.outcomes:
            if outcome.status != "ingested":
                said.append(f"{played.tenant}: {outcome.document} {outcome.status} {outcome.reason}")
        missing = (points[CALM] - points[played.tenant]).total()
        extra = (points[played.tenant] - points[CALM]).total()
        if missing or extra:
            said.append(f"{played.tenant}: {missing} points missing, {extra} too many")
    return said


async def main(kills: int, documents: int, seed: int) -> int:
    rounds = []
    print("| round | killed | after s | took s | ingested |\n|---|---|---|---|---|", flush=True)
    with TemporaryDirectory() as name:
        folder = Path(name)
        async with embedded_redis(folder / "redis") as socket:
            async with open_place(f"unix://{socket}", folder, documents, seed) as place:
                calm = await play_round(place, CALM, None, 0)
                rounds.append(calm)
                for number in range(1, kills + 1):
                    victim = place.server if number % 5 == 0 else place.random.choice(place.workers)
                    played = await play_round(place, f"t{number}", victim, calm.took_s)
                    rounds.append(played)
                    done = Counter(outcome.status for outcome in played.outcomes)["ingested"]
                    row = (number, played.killed, f"{played.after_s:.1f}", f"{played.took_s:.1f}", done)
                    print("| " + " | ".join(map(str, row)) + " |", flush=True)
            points = await points_of(folder, [played.tenant for played in rounds])
    said = faults(rounds, points)
    print("\n".join(said))
    print(f"\n{kills} kills, {points[CALM].total()} points a tenant; {len(said)} faults")
    return len(said)


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--documents", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    configure("error", to_terminal=False)
    raise SystemExit(1 if anyio.run(main, given.kills, given.documents, given.seed) else 0)
