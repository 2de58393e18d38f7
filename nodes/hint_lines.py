"""The coach's words in English and Chinese: data for `hints.py`."""

from __future__ import annotations

from typing import Final, NamedTuple


class HintLine(NamedTuple):
    text: str
    suggestion: str = ""
    """Words the rep could say."""


LINES: Final[dict[str, dict[str, HintLine]]] = {
    "en": {
        "objection:acknowledge": HintLine(
            "They object. Show that you heard it before you answer.", "I understand why that worries you."
        ),
        "objection:clarify": HintLine(
            "Ask what is behind the objection before you answer it.", "What makes you say that?"
        ),
        "objection:respond": HintLine(
            "Now answer the objection: one fact, tied to what they told you.",
        ),
        "objection:confirm": HintLine("Check that your answer was enough.", "Does that answer your concern?"),
        "withheld": HintLine(
            "They held back on {topic}. Earn it: show you listened, then ask an open question about it."
        ),
        "pitch": HintLine(
            "You pitch before there is a need. Ask what it should solve.",
            "What would this have to solve for you?",
        ),
        "monologue": HintLine("That was long. Stop and ask a question."),
        "interrogation": HintLine("Several questions at once. Ask one, then wait."),
        "pressure": HintLine("Pressure costs you trust here. Step back and give them the choice."),
        "promise": HintLine("Do not promise results. Say what other customers saw, with the source."),
        "close": HintLine(
            "They are ready. Propose a next step with a date.",
            "Shall we put thirty minutes in for Thursday at ten?",
        ),
        "date": HintLine("They agree. Name a day and a time.", "Does Thursday at ten work for you?"),
        "battlecard": HintLine("On {name}: {words}"),
        "gap:greeting": HintLine("Begin with a greeting."),
        "gap:introduction": HintLine("Say who you are and where you call from."),
        "gap:agenda": HintLine(
            "Say why you call and what you would like to cover.",
            "I'd like to understand how your team works today. Is now still a good time?",
        ),
        "gap:situation": HintLine(
            "You do not know how they work today.",
            "Can you walk me through how your team handles this today?",
        ),
        "gap:pain": HintLine(
            "You know the set-up, not the problem.", "What is the most frustrating part of that?"
        ),
        "gap:impact": HintLine(
            "You have a problem, not its price.", "What does that cost you when it happens?"
        ),
        "gap:outcome": HintLine(
            "Let them say what a better way would be worth.",
            "If that were solved, what would it change for you?",
        ),
        "gap:budget": HintLine(
            "Money has not come up.", "How do you usually set the budget for something like this?"
        ),
        "gap:decision_maker": HintLine("You do not know who decides.", "Who else needs to approve this?"),
        "gap:timeline": HintLine("You do not know when.", "When would you need this in place?"),
        "gap:criteria": HintLine(
            "You do not know how they will choose.", "What matters most to you in the choice?"
        ),
        "gap:competition": HintLine("Ask what else they look at.", "What other options are you comparing?"),
        "gap:value_link": HintLine("Tie one feature to a problem they told you, in their words."),
        "gap:proof": HintLine("Give proof: a customer like them, and what changed there."),
        "gap:price": HintLine("They will want a figure. Name the plan and its price."),
        "gap:next_step": HintLine(
            "Propose the next step, with a date.", "Could we book a demo for Thursday at ten?"
        ),
    },
    "zh": {
        "objection:acknowledge": HintLine("对方有异议，先表示听到了，再回答。", "我理解您的顾虑。"),
        "objection:clarify": HintLine("先问清异议背后的原因。", "您主要担心的是哪一点？"),
        "objection:respond": HintLine("现在正面回应：一个事实，对应他说过的需求。"),
        "objection:confirm": HintLine("确认一下回答是否够了。", "这样能打消您的顾虑吗？"),
        "withheld": HintLine("对方在“{topic}”上有保留。先让他感到被理解，再用开放式问题去问。"),
        "pitch": HintLine("还没有需求就在推介，先问要解决什么。", "您最希望它帮您解决什么？"),
        "monologue": HintLine("说得太长了，停下来问一个问题。"),
        "interrogation": HintLine("一次问了好几个问题。只问一个，然后等。"),
        "pressure": HintLine("施压会失去信任，退一步，把选择权给对方。"),
        "promise": HintLine("不要承诺效果，讲其他客户的实际结果和出处。"),
        "close": HintLine("时机到了，提出带日期的下一步。", "下周四上午十点安排一次演示可以吗？"),
        "date": HintLine("对方同意了，报一个具体时间。", "下周四上午十点方便吗？"),
        "battlecard": HintLine("关于{name}：{words}"),
        "gap:greeting": HintLine("先打个招呼。"),
        "gap:introduction": HintLine("说明您是谁、来自哪家公司。"),
        "gap:agenda": HintLine(
            "说明来意和想聊的内容。", "今天想先了解一下你们团队现在的做法，方便聊几分钟吗？"
        ),
        "gap:situation": HintLine("还不清楚对方现在怎么做。", "你们现在是怎么处理的，能介绍一下吗？"),
        "gap:pain": HintLine("知道了现状，还不知道问题。", "这当中最让您头疼的是什么？"),
        "gap:impact": HintLine("知道了问题，还不知道代价。", "这个问题对你们有什么影响？"),
        "gap:outcome": HintLine("让对方自己说出改善的价值。", "如果能解决，对您会有什么帮助？"),
        "gap:budget": HintLine("还没有谈到预算。", "这类投入你们一般怎么定预算？"),
        "gap:decision_maker": HintLine("还不知道谁拍板。", "除了您，还有谁参与决定？"),
        "gap:timeline": HintLine("还不知道时间计划。", "你们希望什么时候上线？"),
        "gap:criteria": HintLine("还不知道选择标准。", "选型时您最看重什么？"),
        "gap:competition": HintLine("问问还在看哪家。", "你们还在对比其他家吗？"),
        "gap:value_link": HintLine("把一个功能和他说过的问题对应起来，用他的话讲。"),
        "gap:proof": HintLine("给出证据：类似的客户，有什么变化。"),
        "gap:price": HintLine("对方会想知道数字，报出版本和价格。"),
        "gap:next_step": HintLine("提出下一步，并约好日期。", "下周四上午十点安排一次演示可以吗？"),
    },
}
