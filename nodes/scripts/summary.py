"""Script for `debrief`: the scorecard in a few sentences, English or Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from runtime.scripted import Line, Scene

_OUTCOMES: Final = {
    "en": {
        "won": "They bought.",
        "next_step": "You left with an agreed next step.",
        "no_decision": "The call ended without a decision.",
        "lost": "The buyer ended the call.",
    },
    "zh": {
        "won": "对方当场签了。",
        "next_step": "你约好了明确的下一步。",
        "no_decision": "通话结束时没有结论。",
        "lost": "对方主动结束了通话。",
    },
}
_EN: Final = {
    "total": "{total} of 100, {verdict} (pass mark {mark}).",
    "passed": "passed",
    "failed": "not passed yet",
    "none": "Too little was shown for a total.",
    "best": "Strongest was your {name} ({score} of 5): “{quote}”",
    "worst": "What cost most was {name} ({score} of 5): {reason}.",
    "close": "Least sure was {name} ({score} of 5): {reason}.",
    "price": "You named a price the list does not hold: “{quote}”; it says {says}. "
    "That caps the total at {cap}.",
    "promise": "You promised what the playbook forbids: “{quote}”. That caps the total at {cap}.",
    "missed": "What you did not find out: {fact}",
    "practise": "Practise next: {asks}",
}
_ZH: Final = {
    "total": "总分 {total}，{verdict}（及格线 {mark}）。",
    "passed": "通过",
    "failed": "还未通过",
    "none": "表现出来的内容太少，无法给出总分。",
    "best": "最好的是{name}（{score} 分）：“{quote}”",
    "worst": "失分最多的是{name}（{score} 分）。",
    "close": "还可以再稳一点的是{name}（{score} 分）。",
    "price": "你报的价格与价目表不符：“{quote}”，价目表是 {says}，总分因此最高 {cap}。",
    "promise": "你做了手册禁止的承诺：“{quote}”，总分因此最高 {cap}。",
    "missed": "你没有问出来：{fact}",
    "practise": "下次重点练习：{name}。",
}


def debrief(scene: Scene) -> Line:
    facts = scene.brief.facts if scene.brief else {}
    language, card = facts["language"], facts["scorecard"]
    say = _ZH if language == "zh" else _EN
    names = {key: value[language] for key, value in facts["names"].items()}
    parts = [_OUTCOMES[language][card["forward_motion"]["outcome"]], _total(card, say)]
    scored = sorted((d for d in card["dimensions"] if d["score"] is not None), key=lambda d: -d["score"])
    if scored:
        best, worst = scored[0], scored[-1]
        if best["score"] >= 3:
            parts.append(_about(say["best"], best, names))
        if worst["score"] < best["score"]:
            parts.append(_about(say["worst" if worst["score"] < 4 else "close"], worst, names))
    parts += _findings(card, say)
    if missed := card["disclosure"]["missed"]:
        parts.append(say["missed"].format(fact=missed[0]["text"]))
    if scored and scored[-1]["score"] < 5:
        weakest = scored[-1]["dimension"]
        parts.append(say["practise"].format(name=names[weakest], asks=facts["asks"][weakest]))
    return Line(("" if language == "zh" else " ").join(parts))


def _total(card: Mapping[str, Any], say: Mapping[str, str]) -> str:
    if card["total"] is None:
        return say["none"]
    verdict = say["passed"] if card["passed"] else say["failed"]
    return say["total"].format(total=card["total"], verdict=verdict, mark=card["pass_mark"])


def _about(line: str, score: Mapping[str, Any], names: Mapping[str, str]) -> str:
    return line.format(
        name=names[score["dimension"]],
        score=score["score"],
        quote=score["quotes"][0]["text"],
        reason=score["reason"],
    )


def _findings(card: Mapping[str, Any], say: Mapping[str, str]) -> list[str]:
    caps = {cap["because"]: cap["limit"] for cap in card["compliance"]["caps"]}
    found = {f["kind"]: f for f in reversed(card["compliance"]["findings"])}
    keys = {"wrong_price": "price", "forbidden_promise": "promise"}
    return [
        say[keys[kind]].format(quote=f["quote"]["text"], says=f["says"], cap=caps[kind])
        for kind, f in found.items()
    ]
