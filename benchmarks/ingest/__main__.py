"""Ingestion measured: what is read, how well, how fast, and with how much memory; each goal met or missed.

    make bench-ingest CORPUS=folder
    python -m benchmarks.ingest --only tables ocr

The corpus is a folder of LOW, MEDIUM, HIGH, EXTREME and BROKEN with `groundtruth`; without one the parts that
need it are left out. Everything else the benchmark makes itself, the same for the same seed. Each part has a
process of its own, so that none carries what another has imported. All of it takes some 25 minutes on two
cores.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
from pathlib import Path

import anyio

from benchmarks.ingest.report import show
from runtime.log import configure

PARTS = ("corpus", "tables", "ocr", "speed", "memory", "preview")
"""Each is a module here with `async def measure(corpus: Path | None) -> Findings`."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest")
    parser.add_argument("--corpus", type=Path, metavar="FOLDER")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART")
    asked = parser.parse_args()
    if asked.corpus and not asked.corpus.is_dir():
        parser.error(f"there is no folder {str(asked.corpus)!r}")
    if len(asked.only) == 1:
        return _one(asked.only[0], asked.corpus)
    more = ["--corpus", str(asked.corpus)] if asked.corpus else []
    command = [sys.executable, "-m", "benchmarks.ingest", *more, "--only"]
    return max(subprocess.run([*command, part], check=False).returncode for part in asked.only)


def _one(name: str, corpus: Path | None) -> int:
    configure("error", to_terminal=False)
    print(f"\n## {name}", flush=True)
    part = importlib.import_module(f"benchmarks.ingest.{name}")
    show(anyio.run(part.measure, corpus))
    return 0


if __name__ == "__main__":
    sys.exit(main())
