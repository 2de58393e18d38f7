"""The coach: looks on while the buyer answers, and gives at most one hint a turn."""

from __future__ import annotations

from typing import Any, Final

import anyio
from langgraph.runtime import Runtime

from nodes.bilingual import fold
from nodes.call import CallState, pack_of
from nodes.evidence import best_span
from nodes.hints import Candidate, choose
from nodes.packs import Pack
from nodes.places import readable
from runtime.context import Context
from runtime.errors import KnowledgeUnavailable
from runtime.passage import Passage

BATTLECARD_TIMEOUT_S: Final = 2.0
"""A hint that comes later than this helps nobody."""


async def look_on(state: CallState, runtime: Runtime[Context]) -> dict[str, Any]:
    """Adds one hint to the ledger and emits it as a custom event `hint`, or does nothing."""
    pack = await pack_of(state, runtime.context.packs_dir)
    hint = choose(state, pack, await _battlecard(state, pack, runtime.context))
    if hint is None:
        return {}
    runtime.stream_writer({"name": "hint", **hint})
    return {"hints": [*state["hints"], hint]}


async def _battlecard(state: CallState, pack: Pack, context: Context) -> Candidate | None:
    """What the knowledge says about a competitor named in the last exchange."""
    recent = fold(" ".join(turn["text"] for turn in state["turns"][-2:]))
    name = next((n for n in pack.persona.competitors if fold(n) in recent), None)
    if name is None:
        return None
    passages: list[Passage] = []
    with anyio.move_on_after(BATTLECARD_TIMEOUT_S):
        try:
            passages = await context.search(f"{name} {recent}", limit=3)
        except KnowledgeUnavailable:
            return None
    found = [p for p in passages if fold(name) in fold(p.text)]
    if not found:
        return None
    about = f"{name} {recent}"
    span = best_span(found[0].text, about)
    if span is None:
        return None
    words = readable(found[0].text, span, about)
    return Candidate("battlecard", "battlecard", "value_claim", 0.91, name, words, found[0].locator)
