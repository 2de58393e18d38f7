"""Script for prompts without a brief: pick a tool by the user's words, then say what came of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any, Final

from langchain_core.messages import BaseMessage, ToolCall, ToolMessage

from nodes import cues
from nodes.bilingual import language_of
from nodes.scripts.answers import extract
from runtime.scripted import Line, Scene, plain

_PRICE: Final = re.compile(r"\b(price|quote|cost|how much)\b|报价|价格|多少钱|费用", re.I)
_BOOK: Final = re.compile(
    r"\b(book|schedule|set up|arrange|follow[- ]?up)\b|预约|安排|约(?!定)|跟进|回访", re.I
)
_SEATS: Final = re.compile(
    r"(\d[\d,]*)\s*(?:seats?|agents?|users?|people|个?席位|个?坐席|个?座席|个?用户|个?人|席)", re.I
)
_YEARS: Final = re.compile(r"\b(one|two|three|1|2|3)[- ]years?\b|([一两二三123])年", re.I)
_MONTHLY: Final = re.compile(
    r"\bmonth(ly)?[- ](billing|by month|contract)\b|\bmonth by month\b|\bmonthly\b|按月|月付", re.I
)
_PLAN: Final = re.compile(
    r"\b(?:the )?([A-Z][a-z]+) plan\b|\bplan ([A-Z][a-z]+)\b|\b(Starter|Team|Business|Enterprise)\b", re.I
)
_ZH_PLANS: Final = {"入门版": "Starter", "团队版": "Team", "商务版": "Business", "企业版": "Enterprise"}
_WITH: Final = re.compile(
    r"\bwith ((?:[A-Z][\w'-]+)(?: (?:from |of |at )?[A-Z][\w'-]+)*)"
    r"|(?:和|跟|与)([\u4e00-\u9fff]{2,4}?)(?=约|安排|预约|谈|聊|见|在|开|下|明|后|本|周|，|,|的)"
)
_ABOUT: Final = re.compile(
    r"\b(?:about|on the topic of|to discuss|regarding) ([^,.?!]+)"
    r"|(?:关于|讨论|聊聊|谈谈|聊|谈)([^，。,.？?！]+)"
)
_TERMS: Final = {"one": 1, "two": 2, "three": 3, "一": 1, "两": 2, "二": 2, "三": 3}
_PASSAGE: Final = re.compile(r"^\[(\d+)\] (.+)$", re.M)


def act(scene: Scene) -> Line:
    """Calls the bound tool that fits the user's last words; with its result at hand, says the outcome."""
    asked, results = _since_user(scene.messages)
    if results:
        return Line(_outcome(asked, results[-1].text))
    text = asked.removeprefix("/do").strip()
    calls = ((name, choose(text)) for name, choose in _CHOICES if name in scene.tools)
    name, args = next(((n, a) for n, a in calls if a is not None), ("", None))
    if args is None:
        return plain(scene)
    if missing := [key for key, value in args.items() if value in ("", 0)]:
        return Line(_ask_for(name, missing, language_of(text)))
    return Line(tool_calls=[ToolCall(name=name, args=args, id=_call_id(scene.messages), type="tool_call")])


def _quote(text: str) -> dict[str, Any] | None:
    if not _PRICE.search(text):
        return None
    found = _PLAN.search(text)
    plan = next((p for p in found.groups() if p), "") if found else ""
    plan = plan or next((name for zh, name in _ZH_PLANS.items() if zh in text), "")
    seats = _SEATS.search(text)
    if not plan and not seats:
        return None  # a question about prices in general is for the documents
    number = int(seats.group(1).replace(",", "")) if seats else 0
    return {"plan": plan.capitalize(), "seats": number, "term": _term(text)}


def _term(text: str) -> str:
    if _MONTHLY.search(text):
        return "monthly"
    found = _YEARS.search(text)
    word = (found.group(1) or found.group(2)).lower() if found else "1"
    years = _TERMS.get(word) or int(word)
    return "1 year" if years == 1 else f"{years} years"


def _follow_up(text: str) -> dict[str, Any] | None:
    if not _BOOK.search(text):
        return None
    who, about = _WITH.search(text), _ABOUT.search(text)
    when = max((m.group().strip() for m in cues.WHEN.finditer(text)), key=len, default="")
    topic = next((g.strip() for g in about.groups() if g), "") if about else ""
    for word in (when, f"on {when}"):
        topic = topic.replace(word, "").strip() if when else topic
    default = "跟进" if language_of(text) == "zh" else "the next step"
    return {
        "with_whom": next((g for g in who.groups() if g), "") if who else "",
        "when": when.removeprefix("on ").removeprefix("at "),
        "about": topic or default,
    }


def _search(text: str) -> dict[str, Any] | None:
    return {"query": text} if text else None


_CHOICES: Final = (("book_follow_up", _follow_up), ("quote_price", _quote), ("search_documents", _search))


def _outcome(asked: str, result: str) -> str:
    """The result in a sentence; passages are answered from, not recited."""
    found = list(_PASSAGE.finditer(result))
    if not found:
        return _told(asked, result)
    passages = []
    for i, match in enumerate(found):
        end = found[i + 1].start() if i + 1 < len(found) else len(result)
        text = result[match.end() : end].strip()
        passages.append(
            {
                "number": int(match.group(1)),
                "document": match.group(2),
                "section": "",
                "text": text,
                "language": language_of(text),
            }
        )
    said = extract(asked, passages)
    return said or (
        "资料里没有提到这一点。" if language_of(asked) == "zh" else "The documents do not say that."
    )


def _told(asked: str, result: str) -> str:
    first = result.split("\nRead from:")[0].strip()
    if language_of(asked) == "zh":
        for english, chinese in _ZH_OUTCOMES:
            first = re.sub(english, chinese, first)
    source = result.split("\n- ")[1].split(": |")[0] if "\n- " in result else ""
    return f"{first} ({source})" if source else first


_ZH_OUTCOMES: Final = (
    (r"^Booked: (.+?), (.+), about (.+)\.$", r"已预约：\1，\2，主题：\3。"),
    (r"^Declined: .+$", "好的，没有预约。"),
    (r"(\w+), (\d+) seats, (monthly|\d years?): ", r"\1 版，\2 个席位，\3："),
    (r"(\d) years?：", r"\1 年："),
    (r"list price", "标价"),
    (r"USD a month", "美元/月"),
    (r"USD a year", "美元/年"),
    (r"no discount", "无折扣"),
    (r"discount", "折扣"),
    (r"net ", "折后 "),
    (
        r"onboarding ([\d,.]+) USD once, first year ([\d,.]+) USD",
        r"上线服务费一次性 \1 美元，首年合计 \2 美元",
    ),
    (r"seats", "席位"),
    (r"USD", "美元"),
)


def _ask_for(name: str, missing: Sequence[str], language: str) -> str:
    words = _MISSING[language]
    gaps = [words[key] for key in missing]
    if language == "zh":
        return f"还需要知道{'、'.join(gaps)}。"
    return f"For that I still need {' and '.join(gaps)}."


_MISSING: Final = {
    "en": {
        "plan": "the plan",
        "seats": "the number of seats",
        "with_whom": "whom it is with",
        "when": "a day or time",
    },
    "zh": {"plan": "版本", "seats": "席位数", "with_whom": "和谁", "when": "日期或时间"},
}


def _since_user(messages: Sequence[BaseMessage]) -> tuple[str, list[ToolMessage]]:
    results: list[ToolMessage] = []
    for message in reversed(messages):
        if message.type == "human":
            return message.text.strip(), results[::-1]
        if isinstance(message, ToolMessage):
            results.append(message)
    return "", results[::-1]


def _call_id(messages: Sequence[BaseMessage]) -> str:
    """The same for the same conversation, as a replay needs it, and another one for each of its calls."""
    said = "\0".join(f"{message.type}:{message.text}" for message in messages)
    return f"call_{hashlib.blake2b(said.encode(), digest_size=8).hexdigest()}"
