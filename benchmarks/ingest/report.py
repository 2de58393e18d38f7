"""What a part of the benchmark found: tables of figures, and goals with what they ask for, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from benchmarks.checkpoints.goals import Goal


class Table(NamedTuple):
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


class Findings(NamedTuple):
    """Of one part."""

    tables: Sequence[Table] = ()
    goals: Sequence[Goal] = ()
    remarks: Sequence[str] = ()


def show(findings: Findings) -> None:
    """Prints all of it."""
    for table in findings.tables:
        print(f"\n### {table.title}\n")
        _print(table.columns, table.rows)
    if findings.goals:
        print()
        _print(("goal", "wanted", "is", ""), [_judged(goal) for goal in findings.goals])
    for remark in findings.remarks:
        print(f"\n{remark}")
    print(flush=True)


def number(value: float) -> str:
    """Three digits that matter."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _judged(goal: Goal) -> Sequence[str]:
    sign, verdict = "≥" if goal.at_least else "≤", "met" if goal.met else "**missed**"
    return (goal.text, f"{sign} {number(goal.limit)}", number(goal.value), verdict)


def _print(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    for line in (columns, ["---"] * len(columns), *rows):
        cells = (cell.replace("|", "\\|").replace("\n", " ") for cell in line)
        print(f"| {' | '.join(cells)} |")
