"""Script for `route`: to whom the rep's message goes, by its words."""

from __future__ import annotations

import re
from typing import Final

from runtime.scripted import Line, Scene

_PRACTISE: Final = re.compile(
    r"\b(practi[sc]e|role[- ]?play|training call|mock call|rehearse|train me)\b"
    r"|练习|练一|演练|对练|陪练|模拟",
    re.I,
)
_MONEY, _MONEY_ZH = r"\b(quote|price|cost)\b", r"(多少钱|价)"
_SEATS, _SEATS_ZH = r"\b\d+ ?(seats?|agents?|users?)\b", r"\d+ ?个?(席位|坐席|座席|席|人)"
_ACT: Final = re.compile(
    r"\b(book|schedule|set up|arrange)\b|\bquote (me|for)\b"
    rf"|{_MONEY}.{{0,60}}{_SEATS}|{_SEATS}.{{0,60}}{_MONEY}"
    rf"|预约|安排|约(一?个|一?次)|报价|{_SEATS_ZH}.{{0,20}}{_MONEY_ZH}|{_MONEY_ZH}.{{0,20}}{_SEATS_ZH}",
    re.I,
)


def route(scene: Scene) -> Line:
    text = scene.brief.facts["message"] if scene.brief else ""
    where = "coaching" if _PRACTISE.search(text) else "tool_calling" if _ACT.search(text) else "rag"
    return Line(structured={"to": where})
