"""Accuracy and compliance: the rep's prices and promises against what the knowledge says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final, Literal, TypedDict

from nodes.bilingual import Span, fold, sentences
from nodes.call import Turn
from nodes.citations import cite, source
from nodes.quotes import Quote
from nodes.rubric import Cap
from runtime.context import Search
from runtime.errors import KnowledgeUnavailable
from tools.prices import PriceList, read_price_list

WRONG_PRICE_CAP: Final = 60
PROMISE_CAP: Final = 50
"""Both lie below the pass mark: a call that misleads the buyer cannot pass."""

_PER_SEAT: Final = re.compile(
    r"\b(per|a|each|every|/)\s?(seat|agent|user|month)|每(个)?(席位|坐席|座席|用户|月|人)", re.I
)
_AMOUNT: Final = re.compile(
    r"[$＄]\s?(\d[\d,]*(?:\.\d+)?)|(\d[\d,]*(?:\.\d+)?)\s?(?:usd|dollars?|bucks|美元|美金|元|块|刀)", re.I
)
_FORBIDS: Final = re.compile(
    r"never promise|must not promise|not .{0,20}promise|不得承诺|不能承诺|不要承诺|不能保证", re.I
)
_PROMISE_QUERY: Final = (
    "never promise a result, a saving or a return as certain; what a representative may promise"
)
_NAMES_QUERY: Final = "套餐 版本 每席位 每月 价格"


class Finding(TypedDict):
    """One claim of the rep that the knowledge contradicts or forbids."""

    kind: Literal["wrong_price", "forbidden_promise"]
    quote: Quote
    says: str
    """What the knowledge says."""
    source: str


class Compliance(TypedDict):
    status: Literal["checked", "unavailable"]
    """`unavailable`: the knowledge could not be reached or holds no price list; then nothing is capped."""
    findings: list[Finding]
    caps: list[Cap]


async def check(
    turns: Sequence[Turn], observations: Sequence[dict[str, Any]], language: str, search: Search
) -> Compliance:
    """What the rep said wrong about prices, and the promises the playbook forbids."""
    try:
        listed = await read_price_list(search)
        names = await _names(listed, language, search)
        findings = [*_wrong_prices(turns, listed, names), *await _promises(turns, observations, search)]
    except KnowledgeUnavailable:
        return {"status": "unavailable", "findings": [], "caps": []}
    return {
        "status": "checked" if listed.plans() else "unavailable",
        "findings": findings,
        "caps": _caps(findings),
    }


def _caps(findings: Sequence[Finding]) -> list[Cap]:
    limits = {"wrong_price": WRONG_PRICE_CAP, "forbidden_promise": PROMISE_CAP}
    kinds = dict.fromkeys(finding["kind"] for finding in findings)
    return [{"limit": limits[kind], "because": kind} for kind in kinds]


async def _names(listed: PriceList, language: str, search: Search) -> dict[str, str]:
    """Plan by each name a rep may use: its own, and the Chinese one that the documents put before it."""
    names = {fold(plan): plan for plan in listed.plans()}
    if language == "zh":
        text = "\n".join(p.text for p in await search(_NAMES_QUERY, limit=4))
        for chinese, plan in re.findall(r"([\u4e00-\u9fff]{2}版)[（(](\w+)[）)]", text):
            if fold(plan) in names:
                names[chinese] = names[fold(plan)]
    return names


def _wrong_prices(turns: Sequence[Turn], listed: PriceList, names: dict[str, str]) -> list[Finding]:
    found: list[Finding] = []
    for number, turn in enumerate(turns):
        if turn["speaker"] != "rep":
            continue
        for sentence in sentences(turn["text"]):
            plans = {plan for name, plan in names.items() if _names_it(name, sentence.text)}
            if len(plans) == 1:
                found += _wrong(number, sentence, plans.pop(), listed)
    return found


def _wrong(number: int, sentence: Span, plan: str, listed: PriceList) -> list[Finding]:
    """A price per seat of a single plan that the list does not hold for it."""
    said = [Decimal((a or b).replace(",", "")) for a, b in _AMOUNT.findall(sentence.text)]
    right = [value for word in ("annual", "monthly") if (value := listed.value(plan, "price per seat", word))]
    if not said or not right or not _PER_SEAT.search(sentence.text):
        return []
    if any(amount in {price for price, _ in right} for amount in said):
        return []
    price, row = right[0]
    quote: Quote = {
        "turn": number,
        "speaker": "rep",
        "start": sentence.start,
        "end": sentence.end,
        "text": sentence.text,
    }
    says = f"{plan}: {price} ({row.label})"
    return [{"kind": "wrong_price", "quote": quote, "says": says, "source": row.locator}]


async def _promises(
    turns: Sequence[Turn], observations: Sequence[dict[str, Any]], search: Search
) -> list[Finding]:
    promised = [seen["turn"] for seen in observations if "promise" in seen["acts"]]
    if not promised:
        return []
    rule = next((p for p in await search(_PROMISE_QUERY, limit=4) if _FORBIDS.search(p.text)), None)
    if rule is None:
        return []
    words = cite(1, source(rule), _PROMISE_QUERY)
    return [
        {
            "kind": "forbidden_promise",
            "quote": _whole(turns, n),
            "says": words["quote"],
            "source": rule.locator,
        }
        for n in promised
    ]


def _whole(turns: Sequence[Turn], number: int) -> Quote:
    text = turns[number]["text"]
    return {"turn": number, "speaker": "rep", "start": 0, "end": len(text), "text": text}


def _names_it(name: str, sentence: str) -> bool:
    if name.isascii():
        return bool(re.search(rf"\b{re.escape(name)}\b", fold(sentence)))
    return name in sentence
