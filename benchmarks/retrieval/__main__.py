"""Retrieval measured: what is found, children against flat chunks, how fast; each goal met or missed.

    make bench-retrieval SETS=folder
    python -m benchmarks.retrieval --only latency
    python -m benchmarks.retrieval --sets folder --vectors file --only quality

The sets are folders of `corpus.jsonl`, `queries.jsonl` and `qrels.tsv`; without them the parts that need them
are left out. MiniLM, the dense model, is taken where it is installed. Each part has a process of its own, so
that none carries what another has imported. Where something was chosen by measurement, both halves of the
queries are shown: the first to choose by, the second to check by.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
from pathlib import Path

import anyio

from benchmarks.ingest.report import show
from benchmarks.retrieval.given import Given
from runtime.log import configure

PARTS = ("quality", "chunkings", "latency")
"""Each is a module here with `async def measure(given: Given) -> Findings`."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.retrieval")
    parser.add_argument("--sets", type=Path, metavar="FOLDER")
    parser.add_argument(
        "--vectors", type=Path, metavar="FILE", help="keeps the dense vectors for the next run"
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART")
    asked = parser.parse_args()
    if asked.sets and not asked.sets.is_dir():
        parser.error(f"there is no folder {str(asked.sets)!r}")
    given = Given(asked.sets, asked.vectors)
    if len(asked.only) == 1:
        return _one(asked.only[0], given)
    more = [word for name, path in given._asdict().items() if path for word in (f"--{name}", str(path))]
    command = [sys.executable, "-m", "benchmarks.retrieval", *more, "--only"]
    return max(subprocess.run([*command, part], check=False).returncode for part in asked.only)


def _one(name: str, given: Given) -> int:
    configure("error", to_terminal=False)
    print(f"\n## {name}", flush=True)
    part = importlib.import_module(f"benchmarks.retrieval.{name}")
    show(anyio.run(part.measure, given))
    return 0


if __name__ == "__main__":
    sys.exit(main())
