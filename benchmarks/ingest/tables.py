"""Tables that the benchmark makes, read back: F1 of the cells by kind and format."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

from anyio import to_thread

from benchmarks.checkpoints.goals import Goal
from benchmarks.ingest.reading import open_files, read
from benchmarks.ingest.report import Findings, Table
from benchmarks.ingest.scores import Found, added, cells_found
from benchmarks.ingest.table_files import FORMATS
from benchmarks.ingest.table_truth import KINDS, Kind, Made, tables
from ingestion.reading import Reader

_RULED, _BORDERLESS = 0.95, 0.85
_NAMED = 0.9
"""Tables below are named."""
_MANY = 12


async def measure(corpus: Path | None) -> Findings:
    """Needs no corpus."""
    found: dict[tuple[Kind, str], list[Found]] = defaultdict(list)
    poor: list[str] = []
    with TemporaryDirectory() as folder:
        async with open_files(2) as reader:
            for kind in KINDS:
                for made in tables(kind):
                    for format_ in FORMATS:
                        cells = await _read_back(reader, made, format_, Path(folder))
                        found[kind, format_].append(cells)
                        if cells.f1 < _NAMED:
                            poor.append(f"{kind} {made.number} as {format_}: {cells.f1:.2f}")
    rows = [(kind, str(count), *(_shown(found[kind, f]) for f in FORMATS)) for kind, count in KINDS.items()]
    table = Table("Cells of generated tables, F1 (perfect tables)", ("kind", "of each", *FORMATS), rows)
    goals = [
        Goal(f"{kind}, {format_}: F1", added(cells).f1, _limit(kind), at_least=True)
        for (kind, format_), cells in found.items()
    ]
    more = f" and {len(poor) - _MANY} more" if len(poor) > _MANY else ""
    return Findings([table], goals, [f"Below {_NAMED}: {'; '.join(poor[:_MANY])}{more}"] if poor else [])


async def _read_back(reader: Reader, made: Made, format_: str, folder: Path) -> Found:
    data = await to_thread.run_sync(FORMATS[format_], made)
    path = folder / f"{made.kind}-{made.number}.{format_}"
    path.write_bytes(data)
    document = (await read(reader, path)).document
    blocks = document.blocks if document else ()
    return cells_found(made.cells, [block.cells for block in blocks if block.kind == "table"])


def _limit(kind: Kind) -> float:
    return _BORDERLESS if "borderless" in kind else _RULED


def _shown(founds: list[Found]) -> str:
    return f"{added(founds).f1:.3f} ({sum(found.f1 == 1 for found in founds)})"
