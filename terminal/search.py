"""`cornerman search`: what a search finds, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pydantic import ValidationError
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from compose import open_installation
from ingestion.explanation import Explained, Ranked, Reason
from runtime.errors import InvalidInput
from runtime.narrowing import Filters
from runtime.settings import Settings
from terminal.documents import check_tenant

_QUOTE_CHARS = 160
_NONE = "–"


async def search(
    settings: Settings,
    tenant: str,
    query: str,
    limit: int,
    filters: Mapping[str, Any],
    as_json: bool,
    console: Console,
) -> None:
    """Prints the passages that `query` finds, best first, with their ranks by each vector, and the time.

    Raises InvalidInput for the tenant and the filters, KnowledgeUnavailable.
    """
    check_tenant(tenant)
    narrowed = _filters(filters)
    async with open_installation(settings, own_index=True, work=False) as installation:
        found = await installation.knowledge.current.explain(tenant, query, limit=limit, filters=narrowed)
    if as_json:
        console.print_json(data={"query": query, **asdict(found)})
        return
    console.print(_table(found) if found.reasons else "Nothing that the query has in common with a document.")
    console.print(Text(_timing(found), style="dim"))


def _filters(given: Mapping[str, Any]) -> Filters:
    try:
        return Filters(**{key: value for key, value in given.items() if value})
    except ValidationError as exc:
        faults = "; ".join(f"{e['loc'][0] if e['loc'] else 'days'}: {e['msg']}" for e in exc.errors())
        raise InvalidInput(f"what narrows the search is not valid: {faults}") from exc


def _table(found: Explained) -> Table:
    """A row for each passage: ranks first, then where it stands and what was found."""
    right = [Column(name, justify="right") for name in ("", *found.vectors, "fused")]
    again = [Column(found.reranker, justify="right")] if found.reranker else []
    table = Table(*right, *again, Column("found", ratio=1), show_lines=True)
    for place, reason in enumerate(found.reasons, 1):
        ranks = [_shown(reason.by.get(name)) for name in found.vectors]
        last = [_shown(reason.again)] if found.reranker else []
        table.add_row(str(place), *ranks, _shown(reason.fused), *last, _found(reason))
    return table


def _shown(ranked: Ranked | None) -> Text:
    if ranked is None:
        return Text(_NONE)
    return Text.assemble(str(ranked.rank), ("\n" + f"{ranked.score:.3g}", "dim"))


def _found(reason: Reason) -> Text:
    passage = reason.passage
    quote = " ".join(passage.quote.split())
    short = quote if len(quote) <= _QUOTE_CHARS else quote[:_QUOTE_CHARS] + "…"
    family = f"in a parent of {passage.tokens} tokens, {reason.children} of its children found"
    return Text.assemble((passage.locator, "bold"), f"\n{short}\n", (family, "dim"))


def _timing(found: Explained) -> str:
    steps = ", ".join(f"{step} {ms:.1f}" for step, ms in found.ms.items())
    return f"Vectors of {found.profile}. Milliseconds: {steps}."
