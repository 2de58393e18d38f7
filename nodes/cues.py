"""Words that give a sales act away, in English and in Chinese: data for `acts.py`."""

from __future__ import annotations

import re
from typing import Final

from nodes.observation import Act


def either(*patterns: str) -> re.Pattern[str]:
    """One pattern that matches where any of them does, in upper or lower case."""
    return re.compile("|".join(patterns), re.IGNORECASE)


ACTS: Final[dict[Act, re.Pattern[str]]] = {
    "greeting": either(
        r"^(hi|hello|hey|good (morning|afternoon|evening))\b",
        r"^.{0,6}(你好|您好|早上好|上午好|下午好|晚上好)|^喂",
    ),
    "introduction": either(
        r"\bmy name is\b",
        r"\bthis is \w+ (\w+ )?(from|at|with|calling)\b",
        r"\bI(’|')?m \w+ (\w+ )?(from|at|with)\b",
        r"\bI am \w+ (\w+ )?(from|at|with)\b",
        r"(我是|我叫|这里是|这边是)(?!想|说)",
    ),
    "agenda": either(
        r"\bagenda\b",
        r"\b(reason|purpose) (for|of|I)\b",
        r"\bI(’|')?d like to (understand|learn|hear|ask|cover|talk|spend|use|start)\b",
        r"\b(I|we) (want|wanted|hope) to (understand|learn|hear|ask|cover|talk)\b",
        r"\b(next|have|for|about) (ten|fifteen|twenty|thirty|\d+) minutes\b",
        r"\bis (now|this) (still )?(a )?(good|ok|okay)\b",
        r"(今天|这次|这通电话).{0,10}(想|主要|目的|希望)",
        r"目的是|想(先)?(了解|请教|听听|聊聊)|占用您|方便(聊|说|吗)|议程",
    ),
    "small_talk": either(
        r"\bhow are you\b",
        r"\bhow(’|')?s (it going|your day|your week)\b",
        r"\bweather\b|\bweekend\b",
        r"最近(忙|好|怎么样)|辛苦了",
    ),
    "proof": either(
        r"\bcase stud(y|ies)\b",
        r"\b(customer|client|compan(y|ies)|team|business)s? (like|similar to|of your size|in your)\b",
        r"\b(one|another) (of our )?(customer|client|compan)",
        r"\breferences?\b|\btestimonial",
        r"\bfor (example|instance)\b.{0,60}\b(customer|client|company|team)\b",
        r"案例|客户(反馈|评价)|(另|有)一?(家|位|个).{0,10}(客户|公司|企业|商家)|同行(业)?.{0,6}(客户|公司|在用)",
    ),
    "price": either(
        r"[$€£¥￥]\s?\d",
        r"\b\d[\d,.]*\s?(dollars?|usd|euros?|bucks)\b",
        r"\d[\d,.]*\s?(美元|美金|元|块)",
        r"\bper (seat|agent|user)\b",
        r"每(个)?(席位|坐席|座席|用户).{0,6}\d",
    ),
    "acknowledge": either(
        r"\bI (completely |totally |fully |do |can )?(understand(?! (you )?correctly)|see why|hear you)\b",
        r"\bI (completely |totally |do |can )?(appreciate|get that|get it)\b",
        r"\b(that|it) (makes|is) (total |perfect |complete )?(sense|fair|understandable|reasonable)\b",
        r"\b(that|it)(’|')s (a )?(\w+ )?(fair|understandable|reasonable|valid|good point|good question)\b",
        r"^makes (total |perfect )?sense\b|\bfair (point|enough|question)\b|\byou(’|')re right\b",
        r"\bgood point\b",
        r"\b(sounds|must be) (really |very |quite )?(hard|tough|frustrating|painful|stressful)\b",
        r"\bI(’|')m sorry\b",
        r"理解|明白|您说得对|说得(很)?有道理|有道理|确实(是|如此)?|可以体会|换做?我也|您的(顾虑|担心)|辛苦",
    ),
    "confirm": either(
        r"\bdoes (that|this) (answer|address|help|make sense|work|sound|ease|cover|settle)\b",
        r"\b(have|did) (I|we|that) (answer|address|cover|settle)",
        r"\bhow does (that|this) (sound|sit|look|land)\b",
        r"\bis (that|this) (ok|okay|fair|what you|clear|enough)\b",
        r"(这样|这么说|这个).{0,12}(可以吗|行吗|清楚吗|放心|解决.{0,6}吗|合适吗|满意吗)",
        r"(您|你)觉得(怎么样|如何|可以吗|呢)|是否(打消|解决|回答)",
    ),
    "summarise": either(
        r"\b(to|let me|if I) (summari[sz]e|recap|sum up|play (that )?back|repeat that)\b",
        r"\bso (what )?(I(’|')?m hearing|I hear|you(’|')re saying|if I understand)\b",
        r"\bif I understand( you| correctly)?\b|\bwhat I(’|')?ve heard\b|\bin other words\b|\bsounds like\b",
        r"总结一下|小结一下|我(的)?理解(是|的是|下来)|您的意思是|也就是说|听下来|刚才(您|你)(说|提到).{0,40}(对吗|是吗|没错吧)",
    ),
    "next_step": either(
        r"\bnext steps?\b",
        r"\b(schedule|book|set up|arrange|put in|find) (a|an|some|another|the|thirty|\d+)\b",
        r"\b(demo|pilot|trial|workshop|follow[- ]up|proposal|second call|walkthrough)\b",
        r"\b(can|could|shall|should|may) (we|I) (meet|talk again|speak again|call you|send|invite|show)\b",
        r"\bI(’|')?ll (send|email|call|prepare|share|bring)\b",
        r"下一步|后续(安排|沟通)|安排(一?次|一个|个|个?会议|演示)|约(一?个|一?次|个)?(时间|会|演示)|演示|试用|试点|再(沟通|聊)一?次",
        r"发(您|你|给您)(一?份)?(方案|报价|资料|邀请)",
    ),
    "commitment_request": either(
        r"\b(sign|signing|signature)\b(?! off)",
        r"\b(go ahead|move forward|get started|start the contract|do we have a deal|close (this|the deal))\b",
        r"\bready to (buy|start|commit|proceed)\b",
        r"签(约|合同|单|下来)|下单|定下来|成交|合作吧|今天就定",
    ),
    "promise": either(
        r"(?<!not )(?<!n't )(?<!n’t )(?<!cannot )\bguarante\w+",
        r"\b100 ?(%|percent)",
        r"\bI promise\b|\bwe promise\b|\brisk[- ]free\b|\bno risk\b",
        r"(?<!不能)(?<!不敢)(?<!无法)(?<!没法)保证|绝对(?!不)|百分之百|包(您|你)(满意|赚)|一定(能|会).{0,10}(提高|降低|翻|省|赚)|零风险",
    ),
    "pressure": either(
        r"\b(only|just) (valid |good |available )?(until )?(today|this week|tonight)\b",
        r"\blast (chance|opportunity)\b|\bmust (decide|sign)\b|\bneed (you )?to (decide|sign) (now|today)\b",
        r"\b(offer|discount|price) (expires|ends)\b|\bnow or never\b|\bwhat are you waiting for\b",
        r"(今天|现在|马上|立刻)(就)?(必须|得|要)?(定|签|决定|下单)|最后(一次)?(机会|一天|名额)|过了今天|错过(就|了)|再不",
    ),
    "dismissal": either(
        r"\bthat(’|')?s (not (true|important|a problem|relevant)|wrong|nonsense|ridiculous|irrelevant)\b",
        r"\byou(’|')re (wrong|mistaken)\b|\byou don(’|')t (understand|get it)\b|\bwhatever\b",
        r"\bdon(’|')?t worry about\b",
        r"(您|你)(错了|不懂|误会了|想多了)|不是(什么)?问题|不重要|别(担心|想太多)",
    ),
    "thanks": either(
        r"\bthank(s| you)\b|\bappreciate (your|the) (time|candou?r|honesty)\b", r"谢谢|感谢|多谢"
    ),
    "goodbye": either(
        r"\b(good)?bye\b|\btalk (to you )?soon\b|\bhave a (good|great|nice)\b", r"再见|回头聊|先这样|拜拜"
    ),
}

_OURS = (
    r"(we|our|us|it|this|that|which|platform|desk|software|product|solution|tool|plan|assistant|automation|routing"
    r"|\w+desk)"
)
_DOES = (
    r"(help\w*|reduc\w+|cut\w*|sav(e|es|ed|ing)|improv\w+|automat\w+|speed\w*|increas\w+|boost\w*|lower\w*"
    r"|eliminat\w+|integrat\w+|handl\w+|(give|let|show)\w* you|allow\w*|enabl\w+|rout(e|es|ing)|remov\w+"
    r"|bring\w*|take\w* (care|over)|free\w* up|shorten\w*|resolv\w+|answer\w* (up|half|the|most)"
    r"|include\w*|cover\w*)"
)
_OURS_ZH = r"(我们|咱们|产品|系统|平台|软件|方案|它|这个|这套|功能|\w+desk)"
_DOES_ZH = (
    r"(帮(您|你|助|客户)?|降低|减少|节省|省(下|去|掉)|提高|提升|自动|缩短|支持|让(您|你)|能让|可以让|打通|整合"
    r"|集成|解决|覆盖|避免)"
)
VALUE: Final = either(rf"\b{_OURS}\b.{{0,60}}\b{_DOES}\b", rf"{_OURS_ZH}.{{0,30}}{_DOES_ZH}")
"""Says what the product does for somebody."""

BACK_REFERENCE: Final = either(
    r"\byou (just )?(said|mentioned|told|described|raised|pointed out)\b",
    r"\b(your|those|the) \w+( \w+)? (you|that you) (mentioned|described|told)\b",
    r"\bsince you\b|\bbecause you\b|\bin your case\b|\bfor your team\b",
    r"(您|你)(刚才|刚刚|前面)?(提到|说|讲|谈到)(过|的|了)?|针对(您|你)|对(您|你)(们)?(来说|而言)|(您|你)们(现在)?那",
)
"""Ties what follows to what the buyer has said."""

_CLOCK = r"( at \d{1,2}([:.]\d\d)? ?([ap]\.?m\.?|o'clock)?)?"
_CLOCK_ZH = r"(上午|下午|早上|晚上|中午)?([零一二两三四五六七八九十\d]{1,3}点(半|一刻)?)?"
WHEN: Final = either(
    r"\b((next|this|on|coming) )?(mon|tues|wednes|thurs|fri|satur|sun)day"
    rf"( (morning|afternoon|evening|the \d+(st|nd|rd|th)?))?,?{_CLOCK}",
    rf"\b(tomorrow|next (week|month)|later this week|in (a|two|three|\d+) (days?|weeks?)){_CLOCK}",
    r"\b(january|february|march|april|may|june|july|august|september|october|november|december) \d{1,2}\b"
    rf"{_CLOCK}",
    rf"\b\d{{4}}-\d\d-\d\d\b( \d{{1,2}}:\d\d\b)?{_CLOCK}",
    r"\bat \d{1,2}([:.]\d\d)? ?([ap]\.?m\.?|o'clock)",
    rf"(下|这|本)?(周|星期|礼拜)[一二三四五六日天]{_CLOCK_ZH}",
    rf"(明天|后天|下周|下个?月){_CLOCK_ZH}",
    r"\d{1,2}月\d{1,2}(日|号)(上午|下午)?(\d{1,2}点)?",
)
"""A day or a time."""
