"""The fixed words of the coach around a call: brief, pause, help. Pure."""

from __future__ import annotations

from typing import Final

from nodes.call import Call, CallState
from nodes.packs import Pack
from nodes.stages import missing

SLOT_NAMES: Final[dict[str, dict[str, str]]] = {
    "en": {
        "greeting": "a greeting",
        "introduction": "who you are",
        "agenda": "why you call and an agenda",
        "situation": "how they work today",
        "pain": "what goes wrong",
        "impact": "what that costs them",
        "outcome": "what a better way would be worth",
        "budget": "the budget",
        "decision_maker": "who decides",
        "timeline": "the timeline",
        "criteria": "how they will choose",
        "competition": "what else they look at",
        "value_link": "value tied to a need they told you",
        "proof": "proof from another customer",
        "price": "the price",
        "next_step": "a dated next step",
    },
    "zh": {
        "greeting": "问候",
        "introduction": "自我介绍",
        "agenda": "来意和议程",
        "situation": "对方现状",
        "pain": "哪里不顺",
        "impact": "问题带来的影响",
        "outcome": "改善后的价值",
        "budget": "预算",
        "decision_maker": "谁拍板",
        "timeline": "时间计划",
        "criteria": "选择标准",
        "competition": "还在看哪家",
        "value_link": "与需求挂钩的价值",
        "proof": "客户案例",
        "price": "价格",
        "next_step": "有日期的下一步",
    },
}


def brief(pack: Pack) -> str:
    """What the rep is told before the first word."""
    persona, scenario = pack.persona, pack.scenario
    if pack.language == "zh":
        return (
            f"【{scenario.title}】{scenario.brief}\n"
            f"对方：{persona.name}，{persona.company}{persona.title}。目标：{scenario.goal}\n"
            "请先开口。"
        )
    return (
        f"{scenario.title}. {scenario.brief}\n"
        f"On the line: {persona.name}, {persona.title} at {persona.company}. Your goal: {scenario.goal}\n"
        "You speak first."
    )


def paused(call: Call) -> str:
    return "通话已暂停，发送 resume 继续。" if call["language"] == "zh" else "Paused. Send resume to go on."


def resumed(state: CallState) -> str:
    """Where the call stood."""
    call, turns = state["call"], state["turns"]
    last = turns[-1]["text"] if turns else ""
    if call and call["language"] == "zh":
        return f"继续。对方刚才说：“{last}”" if last else "继续，请先开口。"
    return (
        f"Back in the call. The buyer's last words: “{last}”"
        if last
        else "Back in the call. You speak first."
    )


def help_text(state: CallState) -> str:
    """The commands, and what the stage still needs."""
    call = state.get("call")
    if call is None:
        return "Say hello to start a practice call. Commands: restart, help."
    zh = call["language"] == "zh"
    stage = state["stage_before"] if state["stage"] == "objection" else state["stage"]
    gaps = [SLOT_NAMES[call["language"]][slot] for slot in missing(stage, state["slots"])]
    if zh:
        open_points = f"当前阶段还缺：{'、'.join(gaps)}。" if gaps else ""
        return (
            f"{open_points}命令：pause 暂停、resume 继续、repeat 请对方重复、restart 重来、end 结束并复盘。"
        )
    open_points = f"Still open in the {stage} stage: {', '.join(gaps)}. " if gaps else ""
    return f"{open_points}Commands: pause, resume, repeat (the buyer's last words), restart, end (debrief)."
