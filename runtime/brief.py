"""A brief: instructions in prose followed by the facts as one JSON block.

Any model reads it as a prompt. The scripted model reads the JSON, so it acts on exactly what a real
model is shown and on nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import BaseMessage, SystemMessage

_OPENING = "```json brief\n"
_CLOSING = "\n```"


@dataclass(frozen=True)
class Brief:
    """What a system message asks for."""

    task: str
    """Names the script, `answer` or `route`."""
    facts: Mapping[str, Any]


def write_brief(task: str, instructions: str, **facts: Any) -> SystemMessage:
    """A system message any model understands; `facts` must be JSON values."""
    block = json.dumps({"task": task, **facts}, ensure_ascii=False, indent=1)
    # A fence inside a fact (a document's text, say) must not end the block.
    block = block.replace("```", "\\u0060\\u0060\\u0060")
    return SystemMessage(f"{instructions.strip()}\n\n{_OPENING}{block}{_CLOSING}")


def read_brief(messages: Sequence[BaseMessage]) -> Brief | None:
    """The brief in the last system message that holds one, or None."""
    for message in reversed(messages):
        # From the right: the instructions may quote a brief, the block itself holds no fence.
        _, opening, rest = message.text.rpartition(_OPENING)
        if message.type == "system" and opening:
            facts = json.loads(rest.partition(_CLOSING)[0])
            return Brief(facts.pop("task"), facts)
    return None
