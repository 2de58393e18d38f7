"""How a question that goes on from the one before is completed by its words. Pure."""

from __future__ import annotations

import re
from typing import Final

from nodes.bilingual import language_of

_OPENS: Final = re.compile(
    r"^\s*(?:(?:and|but|so|ok|okay),?\s+)?(?:(?:what|how) about|and|what of)?\s*"
    r"(?:(?:for|with|in|on|at)\s+)?(?:(?:the|an?)\s+)?",
    re.I,
)
_GOES_ON: Final = re.compile(
    r"^\s*(and|but|what about|how about|what of|for|with)\b"
    r"(?!.*\b(is|are|was|were|does|do|did|can|may|must|will|has|have)\b)"
    r"|\b(it|they|them|its|their|this|that one|there|those|these)\b"
    r"|^\s*(那|那么)|呢\s*[?？]?\s*$|^.{0,12}(它|他们|这个|那个|其)",
    re.I | re.DOTALL,
)
_PRONOUN: Final = re.compile(r"\b(it|they|them|this|that one|those|these)\b|它们?|他们|这个|那个", re.I)
_SIZED: Final = re.compile(r"(\d[\d,.]*\s*)(\S+)")
_NAME: Final = re.compile(r"(?<=\s)[A-Z][\w-]+")
_ZH_KIND: Final = re.compile(r"[\u3400-\u9fff]{1,3}?(版|费|价|套餐|地区|公司|合同|年)")
_TOPIC: Final = re.compile(
    r"\b(?:the|a|an|our|their)\s+((?:[\w-]+\s+){0,2}?[\w-]+)"
    r"(?=\s*(?:$|[?,.]|\b(?:cost|costs|take|takes|last|lasts|include|have|has|is|are|work|works|mean|of|for|in|on|with|to)\b))",
    re.I,
)


def goes_on(question: str) -> bool:
    """Whether it cannot be understood without the one before."""
    return bool(_GOES_ON.search(question))


def standing_alone(question: str, before: str) -> str:
    """`before`, asked of what `question` names; or `question` with what `before` was about."""
    if _PRONOUN.search(question) and not _is_fragment(question):
        topic = _TOPIC.search(before)
        return f"{question.rstrip('?？ ')} ({topic.group(1) if topic else before.rstrip('?？ ')})?"
    named = _named(question)
    return (
        _put_in(named, before)
        or f"{before.rstrip('?？。. ')} {named}{'？' if language_of(before) == 'zh' else '?'}"
    )


def _is_fragment(question: str) -> bool:
    return (
        bool(re.match(r"\s*(and|but|what about|how about|what of|那)", question, re.I)) and len(question) < 40
    )


def _named(question: str) -> str:
    """What a fragment names: `the Business plan` of "And what about the Business plan?"."""
    if language_of(question) == "zh":
        return re.sub(r"^(那么|那|如果是|换成)|(呢|怎么样|又如何)?\s*[?？]?\s*$", "", question.strip())
    return _OPENS.sub("", question.strip(), count=1).rstrip("?. ")


def _put_in(named: str, before: str) -> str:
    """`before` with `named` in the place of what it stands beside; "" where no place fits."""
    if sized := _SIZED.search(named):
        other = re.search(rf"\d[\d,.]*(?=\s*{re.escape(sized.group(2).rstrip('s'))})", before)
        if other:
            return before[: other.start()] + sized.group(1).strip() + before[other.end() :]
    if language_of(named) == "zh":
        kind = _ZH_KIND.search(named)
        other = kind and re.search(rf"[\u3400-\u9fff]{{2}}(?={kind.group(1)})", before)
        return (
            before[: other.start()] + named + before[other.end() + len(kind.group(1)) :]
            if kind and other
            else ""
        )
    words = named.split()
    head = words[-1].lower() if words else ""
    if len(words) > 1 and (other := re.search(rf"\b([\w-]+)\s+{re.escape(head)}\b", before, re.I)):
        return before[: other.start()] + named + before[other.end() :]
    names = _NAME.findall(before)
    if len(names) == 1 and named[:1].isupper():
        return before.replace(names[0], named)
    return ""
