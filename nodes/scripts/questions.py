"""Scripts for what comes before a search: `plan`, `chat` and `reword`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from nodes.bilingual import language_of
from nodes.concepts import in_both_languages
from nodes.scripts.follow_ups import goes_on, standing_alone
from runtime.scripted import Line, Scene

_TALK: Final = re.compile(
    r"\s*(hi|hello|hey|good (morning|afternoon|evening|day)|thanks?|thank you|thx|cheers|great|ok(ay)?"
    r"|perfect|bye|goodbye|got it|你好|您好|嗨|早上好|下午好|晚上好|谢谢|多谢|感谢|好的|再见|明白了|知道了"
    r"|辛苦了)(?![a-z]).{0,24}",
    re.I | re.DOTALL,
)
_ASKING: Final = r"(?:what|how|who|when|where|which|why)\b"
_CLAUSE: Final = re.compile(
    r"(?<=[?？])\s*"
    rf"|[,，;；]?\s*\b(?:and also|and|plus|also)\b,?\s+(?={_ASKING}|(?:does|do|is|are|can|may|must)\b)"
    rf"|[,，;；]\s*(?={_ASKING})"
    r"|[，；,;]?(?:以及|还有|另外|同时|并且|而且)|[，；]",
    re.I,
)
_ASKS_ZH: Final = re.compile(r"什么|多少|多久|多长|哪|谁|几|吗|呢|怎么|如何|为什么|是否|能不能|有没有")
_WORDS: Final = {
    "en": "Hello! Ask me about anything in the playbook, and I will look it up.",
    "zh": "您好！资料里的内容都可以问我，我来查。",
}
_MOST: Final = 3


def plan(scene: Scene) -> Line:
    """Splits where a new question word begins, and completes what goes on from the question before."""
    facts = scene.brief.facts if scene.brief else {}
    message = str(facts["message"])
    if _TALK.fullmatch(message) and not re.search(r"[?？\d]", message):
        return Line(structured={"search": False, "questions": []})
    before = facts["last_question"] or _last_asked(facts["conversation"])
    questions: list[str] = []
    for part in split(message)[:_MOST]:
        base = questions[-1] if questions else before
        questions.append(standing_alone(part, base) if base and goes_on(part) else part)
    return Line(structured={"search": True, "questions": questions})


def chat(scene: Scene) -> Line:
    return Line(_WORDS[scene.brief.facts["language"] if scene.brief else "en"])


def reword(scene: Scene) -> Line:
    """The words of the other language, as far as the glossary knows them."""
    questions = scene.brief.facts["questions"] if scene.brief else []
    return Line(structured={"queries": [in_both_languages(question) for question in questions]})


def split(message: str) -> list[str]:
    """The questions of a message; one piece where it is not plain that there are several."""
    pieces = [piece.strip(" ,，;；") for piece in _CLAUSE.split(message) if piece and piece.strip(" ,，;；")]
    if language_of(message) == "zh" and not all(_ASKS_ZH.search(piece) for piece in pieces):
        pieces = [piece.strip() for piece in re.split(r"(?<=[?？])", message) if piece.strip()]
    return pieces or [message]


def _last_asked(conversation: Sequence[Mapping[str, Any]]) -> str:
    said = [line["text"] for line in conversation if line["role"] == "rep"]
    return next((text for text in reversed(said) if text.endswith(("?", "？"))), "")
