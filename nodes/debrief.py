"""Debrief: the coach's few spoken words after the call."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from nodes.call import CallState, live
from nodes.rubric import RUBRIC
from runtime.brief import write_brief
from runtime.context import Context

_INSTRUCTIONS = """
You are the rep's coach. The call is over. In four to six sentences and in the language of `language`: name
the result, what the rep did best with the rep's own words, what cost most, and the one thing to practise
next. Use the figures of `scorecard` exactly; a dimension without a score was not shown or could not be
proven, so do not judge it. No lists, no headings.
"""


async def debrief(state: CallState, runtime: Runtime[Context]) -> dict[str, Any]:
    """A short spoken summary of the scorecard, streamed."""
    card = state["scorecard"]
    brief = write_brief(
        "debrief",
        _INSTRUCTIONS,
        language=live(state)["language"],
        scorecard=card,
        names={key: {"en": key.replace("_", " "), "zh": scale.name_zh} for key, scale in RUBRIC.items()},
        asks={key: scale.asks for key, scale in RUBRIC.items()},
    )
    message = await runtime.context.model().ainvoke([brief])
    return {"messages": [message.model_copy(update={"name": "coach"})]}
