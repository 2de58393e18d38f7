"""What a question set came to: by language and by kind, the goals, and what failed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.answers.verdicts import Played
from benchmarks.checkpoints.goals import Goal
from benchmarks.ingest.report import Findings, Table

ANSWERED_AT_LEAST = 0.9
REFUSED_AT_LEAST = 0.8
_COLUMNS = (
    *("", "to answer", "answered", "in the words quoted", "refused", "wrong"),
    *("to refuse", "refused", "answered all the same"),
)
_SHOWN = 200
"""Characters of a wrong answer."""


def findings(played: Sequence[Played], left_out: Sequence[str] = ()) -> Findings:
    """`left_out`: documents that were not ingested, each with the reason."""
    languages = sorted({one.question.language for one in played})
    kinds = sorted({one.question.sort for one in played})
    rows = [_row(name, [p for p in played if p.question.language == name]) for name in languages]
    rows += [_row(name, [p for p in played if p.question.sort == name]) for name in kinds]
    failed = [_failed(one) for one in played if not one.right]
    tables = [Table("Answered and refused", _COLUMNS, [*rows, _row("**all**", played)])]
    if failed:
        tables.append(Table("Not as it should be", ("question", "wanted", "verdict", "said"), failed))
    goals = [goal for name in languages for goal in _goals(name, played)]
    return Findings(tables, goals, [f"Not ingested: {one}" for one in left_out])


def share(played: Iterable[Played]) -> float:
    """Of those that are right; 1 for none."""
    rights = [one.right for one in played]
    return sum(rights) / len(rights) if rights else 1.0


def _goals(language: str, played: Sequence[Played]) -> list[Goal]:
    mine = [one for one in played if one.question.language == language]
    there = [one for one in mine if one.question.answer]
    others = [one for one in mine if not one.question.answer]
    wanted = [("answered with proof", there, ANSWERED_AT_LEAST), ("refused", others, REFUSED_AT_LEAST)]
    return [
        Goal(f"{language}: {text}, of {len(some)}", share(some), limit, True)
        for text, some, limit in wanted
        if some
    ]


def _row(name: str, played: Sequence[Played]) -> Sequence[str]:
    there = [one for one in played if one.question.answer]
    others = [one for one in played if not one.question.answer]
    counts = (
        len(there),
        sum(one.verdict == "answered" for one in there),
        sum(one.quoted for one in there),
        sum(one.verdict == "refused" for one in there),
        sum(one.verdict == "wrong" for one in there),
        len(others),
        sum(one.verdict == "refused" for one in others),
        sum(one.verdict == "wrong" for one in others),
    )
    return (name, *map(str, counts))


def _failed(one: Played) -> Sequence[str]:
    wanted = " + ".join(" or ".join(part) for part in one.question.answer) or "to be refused"
    return (one.question.question, wanted, one.verdict, one.text[:_SHOWN])
