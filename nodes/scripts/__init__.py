"""The scripted model's repertoire, by task; "" is for prompts without a brief."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from nodes.scripts.actions import act
from nodes.scripts.answers import answer, grade
from nodes.scripts.buyer import reply
from nodes.scripts.questions import chat, plan, reword
from nodes.scripts.ratings import rate
from nodes.scripts.routes import route
from nodes.scripts.summary import debrief
from nodes.scripts.tracker import track
from runtime.scripted import Script

SCRIPTS: Final[Mapping[str, Script]] = {
    "": act,
    "track": track,
    "buyer": reply,
    "rate": rate,
    "debrief": debrief,
    "plan": plan,
    "chat": chat,
    "reword": reword,
    "grade": grade,
    "answer": answer,
    "route": route,
}
