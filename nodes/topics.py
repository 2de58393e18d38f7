"""Words that give a question's topic and form away, in English and in Chinese: data for `acts.py`."""

from __future__ import annotations

import re
from typing import Final

from nodes.cues import either
from nodes.observation import Topic

TOPICS: Final[dict[Topic, re.Pattern[str]]] = {
    "budget": either(
        r"\bbudget|\bafford|\bprice range\b|\bset aside\b|\bfunding\b|\bspend(ing)?\b",
        r"\bhow much .{0,30}(pay|cost)",
        r"预算|花(多少|费)|费用.{0,6}(多少|范围)|价位|投入多少|承受",
    ),
    "decision_maker": either(
        r"\bwho (else |will |would |needs? to |has to |makes |signs |decides |approves |is )",
        r"\bdecision[- ]mak|\bdecision process\b|\bsign(s|ing)?[- ]off\b|\bapprov|\bstakeholder",
        r"\bfinal (say|word|decision)\b|\bothers? involved\b",
        r"谁.{0,10}(决定|拍板|批|签|参与|做主|负责)|(决策|审批|拍板)|(您|你)(一个人)?(能|可以)(决定|做主)|还有(谁|哪些人)",
    ),
    "timeline": either(
        r"\btimeline|\bdeadline|\btime ?frame|\bby when\b|\bhow soon\b",
        r"\bwhen (do|would|are|did|will|does|is|must|should) (you|your|the|this|it)\b",
        r"\bgo(ing)? live\b|\brenew",
        r"什么时候|何时|时间(表|计划|节点|安排)|多久|几月|上线|到期|续约|着急",
    ),
    "criteria": either(
        r"\bcriteria\b|\bmost important\b|\bmatters? (most )?to\b",
        r"\bwhat (do|would|are) you look(ing)? for\b|\bhow will you (judge|compare|choose|decide)\b",
        r"\bmust[- ]haves?\b|\brequirements?\b|\bevaluat",
        r"标准|看重|最(重要|关心|在意)|必须(有|具备)|要求|怎么(选|评估|判断)|考虑哪些",
    ),
    "competition": either(
        r"\bcompetitor|\balternatives?\b|\bother (vendor|option|tool|supplier|provider)s?\b",
        r"\belse are you (looking|talking|considering)\b|\bcompar(e|ing)\b|\bshortlist",
        r"竞品|竞争|其他(家|供应商|厂商|产品|公司)|还在?(看|对比|了解)|别家|哪几家|比较过",
    ),
    "impact": either(
        r"\bimpact|\baffect|\bconsequence|\bwhat happens (if|when|to)\b|\bmean(s)? for (you|your|the)\b",
        r"\bcost(s|ing)? (you|the|your)\b",
        r"\blead to\b|\bresult in\b|\bhow much (time|money|revenue)\b|\beffect\b|\bknock[- ]on\b|\blose",
        r"\blosing\b|\bchurn\b",
        r"影响|后果|损失|代价|导致|意味着|带来(什么|哪些)|会怎(么)?样|流失|多大",
    ),
    "outcome": either(
        r"\bideal(ly)?\b|\bwould it (help|mean|be worth|make)\b",
        r"\bhow would (it|that) (help|change|feel)\b|\bsuccess (look|mean)|\bgoals?\b",
        r"\bhop(e|ing)\b|\bachieve\b|\bif you could\b",
        r"\bwhat would .{0,40}(help|mean|change|be worth|free|do for)\b|\bmagic wand\b|\bwhat if\b",
        r"\bwish\b",
        r"希望(达到|看到|能|实现)|理想|目标|如果(能|可以|有)|会有(什么|多大)(帮助|价值|改变)|改善|期望|想(要)?达到",
    ),
    "pain": either(
        r"\bproblem|\bchalleng|\bfrustrat|\bdifficult|\bstruggl|\bpain|\bissues?\b|\bbother|\bwrong\b",
        r"\bbottleneck|\bslow|\bkeeps? you up\b",
        r"\bhard(est)?\b|\bworr(y|ies)\b|\bconcern|\bunhappy\b|\bsatisfied\b|\bhappy with\b",
        r"\bbreak(s|ing)?\b|\bnot working\b|\bdon(’|')?t like\b|\bstuck\b",
        r"困难|问题|痛点|挑战|麻烦|不满|满意|头疼|头痛|难点|难处|不足|困扰|瓶颈|哪里(卡|慢)|压力|吃力|忙不过来|担心|顾虑",
    ),
    "situation": either(
        r"\bcurrent(ly)?\b|\btoday\b|\bright now\b|\bat the moment\b",
        r"\bhow (do|does|are|is) (you|your|the)\b|\bhow many\b|\bwalk me through\b",
        r"\bteam\b|\bprocess\b|\btools?\b|\bset[- ]?up\b|\busing\b|\bhow big\b|\btell me (more )?about\b",
        r"\bday[- ]to[- ]day\b|\bwhat does .{0,30} look like\b|\bhandle\b",
        r"目前|现在|多少(人|个|张|单)|团队|流程|在用|用(的)?(什么|哪)|怎么(处理|做|管|分)|介绍一下|规模|几个人|平时|日常|情况",
    ),
}
"""In the order of precedence: a question goes to the first topic that it names."""

QUESTION_START: Final = either(
    r"^(and |so |but |ok(ay)?,? |well,? |then )?"
    r"(what|how|why|who|whom|whose|which|when|where|do|does|did|is"
    r"|are|was|were|can|could|would|will|should|shall|have|has|may)\b",
)
INVITATION: Final = either(
    r"\b(tell|walk|talk) me (more |a bit |a little )?(about|through)\b|\bhelp me understand\b",
    r"\bdescribe\b|\bI(’|')?d (love|like) to (hear|understand|know)\b",
    r"\bI(’|')?m curious\b|\bcan you (explain|share|give me an idea)\b",
    r"(介绍|说|讲|谈|聊|描述)(一下|说|讲|谈|聊|下)|能(不能)?(具体)?(说说|讲讲|谈谈|介绍)",
)
ZH_QUESTION: Final = re.compile(
    r"(吗|呢|么|没有|多少|几个?|什么|怎么|如何|为什么|为何|谁|哪[里些个家]?|是否|是不是|有没有|能不能|可不可以)[^，,]{0,12}$"
)
ZH_OPEN: Final = re.compile(
    r"怎么(?!样[吗?？]?$)|如何|什么(?!时候)|为什么|为何|哪些|哪(一)?(方面|块|点)|(介绍|说|讲|谈|聊|描述)(一下|说|讲|谈|聊)"
)
EN_OPEN: Final = either(
    r"\b(what|why|which)\b(?! time)(?! day)", r"\bhow\b(?! (many|much|long|often|soon|big|old|are you)\b)"
)
