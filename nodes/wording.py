"""Words by which a question asks, in English and Chinese, and words that say little. Data."""

from __future__ import annotations

import re
from typing import Final

LIGHT: Final = frozenset(
    """name kind type year date day time number amount share percentage part way thing material long large
    big small old tall high often much take takes last make makes made use used give call called happen
    cost mean stand belong begin start need allow include there exist keep hold say work come go offer
    available people person first current currently become find found main usual usually worth""".split()
)
"""What a text says in another way, or leaves out, without saying less."""
FUNCTION: Final = frozenset(
    """until during while within without between per since upon via already ever yet still again both
    either neither another same such few less least own off down through once here against among
    according right must shall might cannot way else per whether""".split()
)
"""Left out altogether."""
ZH_LIGHT: Final = frozenset(
    """公司 物质 时期 地方 部位 原因 颜色 特点 特征 类型 种类 方式 方法 国家 城市 职业 名字 名称 时间 意义
    含义 作用 影响 东西 动物 植物 人物 地点 位置 内容 问题 情况 方面 部分 程度 数量 数字 结果 目的 关系 区别
    身份 职位 称号 别名 一天 每天 每年 每个 最高 最长 最大 最多 最少 最早 最后 容易 属于 隶属于 位于 叫做
    称为 称作 包括 包含 主要 一般 通常 目前 现在 分别 具体 大约 大概 左右 进行 使用 开始 成为 出现 发生
    下次 上次 因为 所以 通过 根据 关于 认为 得到 客户说""".split()
)
"""The same in Chinese."""

ENTITY: Final = re.compile(r"(?<=[\w,;:] )(?:[A-Z][\w&.-]*|[a-z]+[A-Z]\w*)")
"""A name in an English question; the first word has a capital anyway."""
ZH_ENTITY: Final = re.compile(r"[A-Za-z][\w&.-]+")
YEAR: Final = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")

ZH_ASKING: Final = re.compile(
    r"什么时候|什么时间|多长时间|有没有|是不是|能不能|可不可以|会不会|为什么|怎么样|怎么办|怎么|怎样|如何|什么"
    r"|(?<=\d)\s*[年月日号]|多少[个条家名位种项次]?|多久|多[长大高远重宽深]|请问"
    r"|哪一?[个家天年月日步种位条些里儿]|哪|谁|几[个天年月点号条种位家名步]"
    r"|吗|呢|吧|啊"
)
ZH_SPLIT: Final = re.compile(
    r"[的了是在有和与或就都也还要会能给对到把被让从由为以于及其此该之我你您他她它们这那]"
    r"|需要|可以|应该|我们|你们|他们|一共|分别"
)
"""Between words that carry a meaning."""

_AUXILIARY: Final = r"(?:is|are|was|were|do|does|did|can|may|must|will|would|should|has|have|happens?)\b"
_ARTICLE: Final = r"(?:the |a |an |our |their |its )?"
FOCUS: Final = (
    re.compile(
        rf"\b(?:how (?:many|much)|which|what|whose)\s+(?!{_AUXILIARY})((?:[\w'’-]+\s+)?[\w'’-]+)", re.I
    ),
    re.compile(
        rf"\b(?:how (?!many|much)\w+|what) {_AUXILIARY} {_ARTICLE}"
        r"((?!(?:it|we|you|i|they)\b)(?:[\w-]+ )?[\w-]+)"
        r" (?:be|last|take|cost|kept|charge|include|mean|hold|allow|cover|contain|worth)\b",
        re.I,
    ),
    re.compile(
        rf"\b(?:what|who) (?:is|are|was|were) {_ARTICLE}(?:[\w&.-]+['’]s? )?((?:[\w-]+ ){{0,2}}?[\w-]+)"
        r"(?=$|[?,]| (?:of|for|in|on|at|to|by|from|with|when|before|after|under|last|this|next)\b)",
        re.I,
    ),
    re.compile(r"([\u3400-\u9fff]{2,6})(?:是|在|叫)(?:谁|多少|什么|哪)"),
    re.compile(r"([\u3400-\u9fff]{2,6}?)(?:需要|要)?(?:多少钱|多长时间|多久)"),
    re.compile(r"(?:多少[个条家名位种项次]?|哪些|什么|几[个名位家条种]|哪[个家种位])([\u3400-\u9fff]{2,4})"),
)
"""Each with what the question wants to know of as its group: `plan` in "Which plan has …"."""
