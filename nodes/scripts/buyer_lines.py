"""Lines of the scripted buyer that no pack gives, by language and occasion: data for `buyer.py`.

A pack's `voice` replaces the lines of an occasion for its persona.
"""

from __future__ import annotations

from typing import Final

LINES: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "en": {
        "greeting": ("Hi. {name} speaking.", "Hello, this is {name}."),
        "greeting_warm": ("Hi, good to hear from you.", "Hello! Yes, I remember."),
        "agenda_ok": ("Fine, go ahead.", "Okay. Let's see where this goes.", "Sure, that works."),
        "agenda_cool": ("I have ten minutes. What is it about?", "Alright, but keep it short, please."),
        "withhold": (
            "I'd rather not get into that yet.",
            "That's not something I share on a first call.",
            "Let's leave that for now.",
        ),
        "unknown": (
            "Honestly, I couldn't tell you.",
            "I don't have a figure for that.",
            "That hasn't really come up.",
        ),
        "told_before": ("As I said: {fact}", "We touched on that already. {fact}"),
        "pitch_cool": (
            "You haven't asked what we need yet.",
            "That's a nice feature list. What makes you think we have that problem?",
            "Every vendor tells me that.",
        ),
        "pitch_neutral": ("Okay. I'm not sure where that would help us.", "Right. And for a team like ours?"),
        "value_warm": (
            "That would actually help.",
            "Now that is what I'd want to see.",
            "Yes, that's the part that hurts. Go on.",
        ),
        "value_neutral": ("That could be useful, if it works as you say.", "I can see how that would fit."),
        "proof": ("Good to know that someone like us uses it.", "Okay, a real example helps."),
        "price": ("That's the figure without discount, I assume?", "Okay, I'll note that figure."),
        "acknowledged": ("Thanks, I appreciate that.", "Good that you see it that way."),
        "summary": ("Yes, that's a fair summary.", "You've been listening. Yes, that's it."),
        "pressure": (
            "I don't decide under pressure, and certainly not today.",
            "If it has to be today, the answer is no.",
        ),
        "dismissal": ("Excuse me? It is important to us.", "I'd like you to take that seriously."),
        "promise": ("Nobody can promise that.", "I've heard guarantees before. What is behind it?"),
        "steps_missing": (
            "I hear you, but that doesn't settle it for me.",
            "Fair, but you haven't answered my point yet.",
            "That's part of it. I'm still not convinced.",
        ),
        "ignored": ("You haven't answered me.", "Let me come back to what I said."),
        "ask_when": ("We could do that. When did you have in mind?", "Yes, I'd be open to it. What day?"),
        "accept": (
            "{when} works for me. Send me the invitation.",
            "Good, {when} then. Please put it in writing.",
        ),
        "accept_open": ("Good. Let's do that. Send me the invitation.",),
        "hesitate": (
            "I'm not there yet. I'd want to be surer that this fits us first.",
            "Let me think about it; I don't see enough yet for another meeting.",
        ),
        "refuse": (
            "A meeting about what? We've hardly talked.",
            "That's too early. You don't know what we need yet.",
        ),
        "leave": (
            "I don't think this is going anywhere. Let's leave it here. Goodbye.",
            "I have to stop you. We're not interested. Goodbye.",
        ),
        "goodbye": ("Goodbye.", "Bye, then."),
        "small_talk": ("Fine, thanks.", "Busy, as always."),
        "lead_opening": ("So what is this about?", "What can I do for you?"),
        "lead_discovery": (
            "What else would you like to know?",
            "What do you need from me?",
            "Is there a question in that?",
            "Go on, then.",
        ),
        "lead_value": ("What else should I know?", "Go on."),
        "lead_closing": ("So where do we go from here?", "What happens next, then?"),
        "filler": ("Mm-hm.", "I see.", "Right.", "Okay."),
    },
    "zh": {
        "greeting": ("您好，我是{name}。", "喂，您好，{name}。"),
        "greeting_warm": ("您好您好，正好有空。", "您好，我记得您。"),
        "agenda_ok": ("行，您说。", "可以，那就聊聊。", "好的，您问吧。"),
        "agenda_cool": ("我只有十分钟，什么事？", "可以，不过请简短一点。"),
        "withhold": ("这个现在不太方便说。", "第一次聊，这个就先不谈了。", "这个以后再说吧。"),
        "unknown": ("这个我还真说不上来。", "具体数字我手头没有。", "这方面我们还没想过。"),
        "told_before": ("刚才说过了，{fact}", "这个前面提过，{fact}"),
        "pitch_cool": ("您还没问我们需要什么呢。", "每家来都这么说。", "功能听着不少，可我们不一定用得上。"),
        "pitch_neutral": ("嗯，不过不知道对我们有什么用。", "哦，那对我们这样的团队呢？"),
        "value_warm": ("这个倒是真能帮上忙。", "对，我要的就是这个，您接着说。", "说到点子上了。"),
        "value_neutral": ("真能做到的话，还是有用的。", "听起来是合适的。"),
        "proof": ("有同行在用，那还放心一点。", "有实际例子就好。"),
        "price": ("这是没打折的价吧？", "嗯，这个数我记一下。"),
        "acknowledged": ("谢谢理解。", "您能这么想就好。"),
        "summary": ("对，就是这个意思。", "没错，您听得很仔细。"),
        "pressure": ("催我今天定，那就不用谈了。", "我不会在压力下做决定。"),
        "dismissal": ("这对我们很重要，请您认真对待。", "话可不能这么说。"),
        "promise": ("这种话谁敢保证？", "保证的话我听多了，依据是什么？"),
        "steps_missing": (
            "您说的我听到了，可这还没解决我的问题。",
            "有点道理，不过我还是不放心。",
            "这只说了一半。",
        ),
        "ignored": ("您还没回答我刚才的问题。", "我刚才问的您还没说。"),
        "ask_when": ("可以，您看什么时候？", "行，那约哪天？"),
        "accept": ("{when}可以，您发个邀请给我。", "好，那就{when}，麻烦发个邮件确认一下。"),
        "accept_open": ("行，就这么办，您发个邀请给我。",),
        "hesitate": ("我还没到这一步，得先确认真适合我们。", "我再想想，现在看还不够。"),
        "refuse": ("还没聊几句呢，见面谈什么？", "太早了，您还不了解我们要什么。"),
        "leave": ("我看就到这里吧，我们不考虑了。再见。", "不好意思，我还有事，这个就算了。再见。"),
        "goodbye": ("好，再见。", "那就这样，再见。"),
        "small_talk": ("挺好的，谢谢。", "老样子，忙。"),
        "lead_opening": ("您找我是什么事？", "有什么事您说。"),
        "lead_discovery": ("您还想了解什么？", "您还要问什么？", "您接着问。", "还有呢？"),
        "lead_value": ("您接着说。", "还有什么要介绍的？"),
        "lead_closing": ("那接下来怎么安排？", "下一步呢？"),
        "filler": ("嗯。", "哦，这样。", "好的。", "明白。"),
    },
}
