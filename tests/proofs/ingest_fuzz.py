"""Mutation fuzzing of the parsers: broken files, read as an installation reads them, by parser processes.

`python -m tests.proofs.ingest_fuzz --corpus FOLDER --minutes 30 --seed 1` prints a table. Faults are: any
exception but a DocumentError, a call that outlasts its time-out, offsets that do not hold, a parent whose
memory grows. Their inputs are saved below `--save`, as are those that crashed or filled a parser, took too
long or half of that, which are outcomes. Should this process die, what it was reading lies in `now` there.
"""

from __future__ import annotations

import os
import random
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import TypeVar

import anyio
from anyio import to_thread

from benchmarks.stream.processes import rss_bytes
from ingestion import work
from ingestion.artifacts import Artifacts
from ingestion.limits import Limits
from ingestion.options import ReadOptions
from ingestion.read import render_page
from ingestion.sandbox import Sandbox, open_sandbox
from runtime.errors import DocumentCorrupt, DocumentError
from tests.proofs.mutations import kinds, mutated

T = TypeVar("T")

_PROCESSES = 2
_MEMORY_BYTES = 1_500_000_000
_TIMEOUT_S = 20.0
_LATE_S = 2.0
"""By which a call may outlast its time-out: for starting and killing its process."""
_GROWTH_BYTES = 200_000_000
"""Of the parent: documents are in it one at a time, and only to be looked at."""
_OPTIONS = ReadOptions(limits=Limits(pages=200, unpacked_bytes=64 * 1024 * 1024, pixels=20_000_000))
_LOOKED_AT_BYTES = 5_000_000
"""Of a document: larger ones would be what this process grows by."""
_PAGES = 2
"""Scans of each file that are rendered."""
_NOTED = ("crashed", "PARSE_TIMEOUT", "DOCUMENT_TOO_LARGE (memory)")
"""Outcomes whose inputs are worth a look."""


@dataclass
class Outcomes:
    """What came of the inputs."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    """Outcomes by kind of file."""
    faults: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    peak_bytes: int = 0
    """Of this process."""

    @property
    def inputs(self) -> int:
        return sum(counter.total() for counter in self.counts.values())


@dataclass(frozen=True)
class Fuzzing:
    """What one run works with."""

    seeds: Mapping[str, bytes]
    """Files by name."""
    kinds: Sequence[tuple[str, Sequence[str]]]
    """Names of the files by kind."""
    seed: int
    save: Path
    sandbox: Sandbox
    timeout_s: float
    outcomes: Outcomes


async def fuzz(
    seeds: Mapping[str, bytes], *, seconds: float, seed: int, save: Path, timeout_s: float = _TIMEOUT_S
) -> Outcomes:
    """Reads broken files for so many seconds, and those that are being read then to their end.

    `seeds`: files by name; the endings of the names say which are of a kind.
    """
    outcomes, end, numbers = Outcomes(), monotonic() + seconds, iter(range(10**9))
    (save / "now").mkdir(parents=True, exist_ok=True)
    rss = rss_bytes(os.getpid())
    async with open_sandbox(_PROCESSES, _MEMORY_BYTES) as sandbox:
        by_kind = sorted(kinds(list(seeds)).items())
        fuzzing = Fuzzing(seeds, by_kind, seed, save, sandbox, timeout_s, outcomes)

        async def one_after_the_other() -> None:
            while monotonic() < end:
                await _one(fuzzing, next(numbers))
                outcomes.peak_bytes = max(outcomes.peak_bytes, rss_bytes(os.getpid()))

        async with anyio.create_task_group() as tasks:
            for _ in range(_PROCESSES):
                tasks.start_soon(one_after_the_other)
    if outcomes.peak_bytes > rss + _GROWTH_BYTES:
        outcomes.faults.append(f"the parent grew from {rss:,} to {outcomes.peak_bytes:,} bytes")
    return outcomes


async def _one(fuzzing: Fuzzing, number: int) -> None:
    """The input of this number depends on it, the seed and the files alone."""
    chance = random.Random(f"{fuzzing.seed} {number}")
    kind, names = chance.choice(fuzzing.kinds)
    name, other = chance.choice(names), chance.choice(names)
    how, data = await to_thread.run_sync(mutated, chance, fuzzing.seeds[name] or b" ", fuzzing.seeds[other])
    path = fuzzing.save / "now" / f"{number}-{name}"
    path.write_bytes(data)
    reading = _Reading(fuzzing.sandbox, path, name, fuzzing.timeout_s)
    outcome = await reading.outcome()
    outcomes = fuzzing.outcomes
    outcomes.counts.setdefault(kind, Counter())[outcome] += 1
    outcomes.faults += [f"{path.name} ({how}): {fault}" for fault in reading.faults]
    outcomes.slowest_s = max(outcomes.slowest_s, reading.slowest_s)
    slow = "slow" if reading.slowest_s > fuzzing.timeout_s / 2 else ""
    noted = outcome.partition(" ")[0] if outcome in _NOTED else slow
    if kept := "fault" if reading.faults else noted:
        (fuzzing.save / kept).mkdir(exist_ok=True)
        path.rename(fuzzing.save / kept / path.name)
    else:
        path.unlink()


@dataclass
class _Reading:
    """One file on its way to chunks."""

    sandbox: Sandbox
    path: Path
    name: str
    timeout_s: float
    faults: list[str] = field(default_factory=list)
    slowest_s: float = 0.0

    async def outcome(self) -> str:
        """How it ended; what is wrong with that is in `faults`."""
        with TemporaryDirectory() as folder:
            try:
                await self._read(Artifacts(Path(folder)))
            except DocumentError as exc:
                return _outcome(exc)
            # Whatever else comes out is what this looks for.
            except Exception as exc:
                self.faults.append(f"{type(exc).__name__}: {exc}")
                return "fault"
        return "read"

    async def _read(self, artifacts: Artifacts) -> None:
        read = await self._call(work.read, self.path, self.name, _OPTIONS, artifacts.folder)
        for _, scan in read.scans[:_PAGES]:
            await self._call(render_page, self.path, scan, _OPTIONS)
        if read.scans:
            await self._call(work.join, self.name, artifacts.folder, {})
        self.faults += await to_thread.run_sync(_wrong, artifacts)
        await self._call(work.cut, artifacts.folder, {}, "rule", "0" * 32, {})

    async def _call(self, function: Callable[..., T], *args: object) -> T:
        began = monotonic()
        try:
            return await self.sandbox.call(function, *args, timeout_s=self.timeout_s, document=self.name)
        finally:
            took_s = monotonic() - began
            self.slowest_s = max(self.slowest_s, took_s)
            if took_s > self.timeout_s + _LATE_S:
                self.faults.append(f"{function.__name__} took {took_s:.1f} s")


def _outcome(exc: DocumentError) -> str:
    if isinstance(exc, DocumentCorrupt) and "crashed its parser" in str(exc):
        return "crashed"
    if "limit_bytes" in exc.details:
        return f"{exc.code} (memory)"
    return exc.code


def _wrong(artifacts: Artifacts) -> Sequence[str]:
    """What is wrong with the document that was read."""
    path = artifacts.folder / "document.json"
    if not path.exists():
        return ["no document was left"]
    if path.stat().st_size > _LOOKED_AT_BYTES:
        return []
    document = artifacts.document()
    assert document is not None
    if any(document.text[block.start : block.end] != block.text for block in document.blocks):
        return ["a block is not the slice that it says"]
    return []


def table(outcomes: Outcomes) -> str:
    """Outcomes by kind of file, as Markdown."""
    columns = sorted({outcome for counter in outcomes.counts.values() for outcome in counter})
    lines = [["kind", *columns, "all"], ["---"] * (len(columns) + 2)]
    for kind, counter in sorted(outcomes.counts.items()):
        lines.append([kind, *(str(counter[column]) for column in columns), str(counter.total())])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


async def main(corpus: Path, minutes: float, seed: int, save: Path) -> int:
    seeds = {path.name: path.read_bytes() for path in sorted(corpus.rglob("*")) if path.is_file()}
    outcomes = await fuzz(seeds, seconds=minutes * 60, seed=seed, save=save)
    print(table(outcomes))
    print("\n".join(outcomes.faults))
    print(f"\n{outcomes.inputs} inputs of {len(seeds)} files in {minutes:g} minutes", end="; ")
    print(f"{len(outcomes.faults)} faults; slowest call {outcomes.slowest_s:.1f} s", end="; ")
    print(f"this process held {outcomes.peak_bytes / 1e6:.0f} MB at most; inputs worth a look: {save}")
    return len(outcomes.faults)


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save", type=Path, default=Path("fuzz"))
    given = parser.parse_args()
    raise SystemExit(1 if anyio.run(main, given.corpus, given.minutes, given.seed, given.save) else 0)
