"""What `cornerman ingest` shows at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Group
from rich.table import Column, Table
from rich.text import Text

from ingestion.sources.source import place_shown
from terminal.ingest_runs import Outcome


@dataclass(frozen=True)
class Totals:
    """Sums over a command's documents; seconds of the whole command."""

    documents: int
    pages: int
    bytes: int
    chunks: int
    tokens: int
    seconds: float
    statuses: dict[str, int]

    def __str__(self) -> str:
        said = ", ".join(f"{count} {status}" for status, count in sorted(self.statuses.items()))
        rate = f"{self.documents / self.seconds:.1f} documents/s, {self.pages / self.seconds:.1f} pages/s"
        return f"{said} · {self.bytes / 1e6:.1f} MB in {self.seconds:.1f} s · {rate}"


def totals(outcomes: Sequence[Outcome], took_s: float) -> Totals:
    """Of what was read now: of others that were looked at, only the number counts."""
    read = [outcome for outcome in outcomes if outcome.status == "ingested"]
    return Totals(
        documents=sum(outcome.status != "cancelled" for outcome in outcomes),
        pages=sum(outcome.pages or 0 for outcome in read),
        bytes=sum(outcome.bytes for outcome in read),
        chunks=sum(outcome.chunks for outcome in read),
        tokens=sum(outcome.tokens for outcome in read),
        seconds=round(took_s, 2),
        statuses=dict(Counter(outcome.status for outcome in outcomes)),
    )


def results_table(outcomes: Sequence[Outcome]) -> Table:
    """What became of each document."""
    right = [Column(name, justify="right") for name in ("pages", "chunks", "tokens")]
    table = Table(Column("document", overflow="fold"), "status", "route", *right, title="Ingested")
    for outcome in outcomes:
        figures = [str(value or "–") for value in (outcome.pages, outcome.chunks, outcome.tokens)]
        table.add_row(Text(outcome.document), outcome.status, outcome.reading.get("level", "–"), *figures)
    return table


def remarks(outcomes: Sequence[Outcome]) -> list[Text]:
    """What there is to say about some of them, a line each."""
    said = [(outcome.document, _remark(outcome)) for outcome in outcomes]
    return [Text(f"{document}: {remark}") for document, remark in said if remark]


def explained(outcomes: Sequence[Outcome]) -> Group:
    """How each document was read, and why."""
    lines: list[Text] = []
    for outcome in outcomes:
        reading = outcome.reading
        if not reading:
            lines.append(Text(f"{outcome.document}: not read; {outcome.code or outcome.status}"))
            continue
        tried = f" after {reading['escalated_from']}" if reading.get("escalated_from") else ""
        head = f"{outcome.document}: {reading['format']}, {reading['level']}{tried}, by {reading['parser']}"
        lines.append(Text(head, style="bold"))
        lines += [Text(f"  {reason}") for reason in reading["reasons"]]
    return Group(*lines)


def _remark(outcome: Outcome) -> str:
    hidden = [f"{outcome.hidden} hidden pieces left out"] if outcome.hidden else []
    refusal = [f"{outcome.code}: {outcome.reason}"] if outcome.code else [outcome.reason]
    moved = [f"moved here from {place_shown(outcome.moved_from)}"] if outcome.moved_from else []
    places = ", ".join(map(place_shown, outcome.namesakes))
    namesakes = [f"another document of this name is from {places}"] if places else []
    return "; ".join(part for part in (*refusal, *moved, *namesakes, *outcome.notes, *hidden) if part)
