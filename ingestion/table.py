"""Tables as text: Markdown rows, one line each, so that a row can be kept whole and a header repeated."""

from __future__ import annotations

from collections.abc import Sequence

_RULE_SIGNS = frozenset(" \t|:-")


def render(rows: Sequence[Sequence[str | None]]) -> str:
    """The first row as header, a rule, the other rows; "" without a single filled cell.

    Empty rows and empty columns are left out; a pipe in a cell is escaped.
    """
    cells = [[" ".join((cell or "").split()).replace("|", "\\|") for cell in row] for row in rows]
    width = max((len(row) for row in cells), default=0)
    kept = [i for i in range(width) if any(i < len(row) and row[i] for row in cells)]
    lines = [[row[i] if i < len(row) else "" for i in kept] for row in cells if any(row)]
    if not lines:
        return ""
    lines.insert(1, ["---"] * len(kept))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def header_of(text: str) -> str:
    """The two lines of a rendered table that are repeated when it is cut; "" without a rule or rows."""
    first = text.find("\n")
    second = text.find("\n", first + 1)
    if first < 0 or second < 0:
        return ""
    rule = text[first + 1 : second]
    return text[:second] if "-" in rule and set(rule) <= _RULE_SIGNS else ""
