"""What kind of answer a question asks for, and whether a text holds one of that kind. Pure."""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

from nodes.bilingual import fold

Kind = Literal["money", "duration", "date", "share", "number", "colour", "definition", "any"]

_NUMBER: Final = (
    r"(?:\d|[零一二两三四五六七八九十百千万半第]|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
    r"|twenty|thirty|hundred|thousand|half|first|second|third)\b)"
)
_UNIT: Final = (
    r"(?:working |business |calendar )?"
    r"(?:seconds?|minutes?|hours?|days?|nights?|weeks?|months?|quarters?|years?)"
)
_DAYS: Final = (
    r"\b(january|february|march|april|may|june|july|august|september|october|november|december"
    r"|monday|tuesday|wednesday|thursday|friday|saturday|sunday)\b"
)


class _Form(NamedTuple):
    kind: Kind
    asked: re.Pattern[str]
    held: re.Pattern[str]


_FORMS: Final = (
    _Form(
        "duration",
        re.compile(
            r"\bhow (long|often|soon|fast|quickly)\b"
            r"|多久|多长时间|几[天周年]|几个(月|小时|星期)|多少(天|周|个月|年|小时)"
        ),
        re.compile(
            rf"{_NUMBER}[^.。]{{0,24}}?\b{_UNIT}\b"
            rf"|{_NUMBER}\s*个?(多|来)?(工作)?(秒|分钟|小时|天|日|周|星期|月|年|季度)"
            r"|\b(at once|daily|weekly|monthly|yearly|always|never|24/7|every|each)\b|随时|立即|每[天周月年]"
        ),
    ),
    _Form(
        "money",
        re.compile(
            r"\bhow much (does|do|did|is|are|was|were|must|will|would)?\b.{0,80}\b(cost|pay|charge|worth)\b"
            r"|\bwhat (does|do|did|would|will|is|are|was|were|may|might) .{0,80}"
            r"\b(cost|charge|worth|price|fee)\b"
            r"|\b(price|fee) (of|for)\b|\bhow expensive\b"
            r"|多少钱|什么价|价格是|(费|费用|价格|价|收费|报价)(是|要)?多少"
        ),
        re.compile(rf"{_NUMBER}|\bfree\b|\bno (charge|fee|cost)\b|免费|不收费"),
    ),
    _Form(
        "date",
        re.compile(
            r"\bwhen\b|\b(what|which) (year|date|day|month|time)\b"
            r"|哪一?(年|天|月|日)|什么时候|什么时间|何时|几(点|号|月)"
        ),
        re.compile(
            rf"\d|{_DAYS}|\b(before|after|until|once|when|as soon as|if|days?|weeks?)\b"
            r"|[年月日天周时]|之前|之后|以后"
        ),
    ),
    _Form(
        "share",
        re.compile(
            r"\b(what|which) (share|percentage|proportion|part|fraction|rate)\b|\bby how much\b"
            r"|\bhow many per ?cent\b|百分之几|百分之多少|多大比例|(比例|占比|比率)是?多少"
        ),
        re.compile(rf"%|\bper ?cent\b|百分之|成|折|\b(quarter|fifth|tenth)\b|{_NUMBER}"),
    ),
    _Form(
        "number",
        re.compile(
            r"\bhow (many|much|large|big|small|far|high|tall|old|wide|heavy|deep)\b"
            r"|\bwhat (number|amount|sum)\b"
            r"|多少|几(个|名|位|家|条|种|步|席|人|次|台|层)|多(大|高|远|重|宽|深)"
        ),
        re.compile(rf"{_NUMBER}|\b(no limit|unlimited|none|all|no)\b|不限|无限|没有|不提供|全部"),
    ),
    _Form(
        "colour",
        re.compile(r"\b(what|which) colou?rs?\b|什么颜色|哪种颜色"),
        re.compile(
            r"\b(red|green|blue|black|white|grey|gray|yellow|orange|brown|purple|pink|silver|gold)\b"
            r"|[红绿蓝黑白灰黄橙棕紫粉]"
        ),
    ),
    _Form(
        "definition",
        re.compile(
            r"^(so |and )?(what|who) (is|are|was|were) (a |an |the )?[^,?]{1,40}\??$"
            r"|什么是|是(什么|谁)[？?]?$"
        ),
        re.compile(""),
    ),
)


def kind_of(question: str) -> Kind:
    """`any` where the words of the question do not tell."""
    folded = fold(question).strip()
    return next((form.kind for form in _FORMS if form.asked.search(folded)), "any")


def holds(kind: Kind, text: str) -> bool:
    """Whether `text` holds something of that kind; always true of `any` and `definition`."""
    folded = fold(text)
    return next((bool(form.held.search(folded)) for form in _FORMS if form.kind == kind), True)
