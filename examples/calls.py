"""Practice calls as reps would hold them: the lines of the rep."""

from __future__ import annotations

from typing import Final

ENGLISH: Final = (
    "Hi Dana, this is Sam from Brightloom. I'd like to understand how support works at Meridian today and "
    "then see together if a next step makes sense. Is that okay?",
    "Thanks. Can you walk me through how your team handles customer messages today?",
    "What is the most frustrating part of that for you?",
    "Four hundred every Monday, that sounds tough. What does it cost you when answers come that late?",
    "If Mondays were clean, what would that change for you?",
    "Let me recap: shared mailboxes, four hundred open messages on Mondays, and refunds. Did I get "
    "that right? How do you usually set the budget for something like this?",
    "Who else needs to approve this?",
    "When would you need this in place?",
    "You said nobody sees who answers. Loomdesk gathers mail and chat in one inbox and routes every message, "
    "so your agents start Monday without double answers.",
    "I understand why that worries you. For example, a customer like you with 40 agents was live "
    "in four weeks.",
    "The Business plan is $69 per seat and month on an annual contract.",
    "Compared with what, the seat price or the first year? Their onboarding costs 4,000 dollars, so the "
    "whole first year with drafts is lower with us.",
    "Could we book a demo with your own mail on Thursday at 10?",
)
CHINESE: Final = (
    "周总您好，我是亮织公司的小陈，今天想先了解一下你们客服的情况，看看我们合不合适，方便聊几分钟吗？",
    "你们现在客服是怎么处理客户咨询的，能介绍一下吗？",
    "这当中最让您头疼的是什么问题？",
    "明白，晚上没人回确实可惜。这对你们的生意有什么影响？",
    "如果能腾出人手来，对您会有什么帮助？",
    "总结一下，撞单、夜里没人回，去年双十一丢了八万。我理解得对吗？这件事一般谁来拍板？",
    "预算大概是多少？",
    "希望什么时候上线？",
    "您刚才提到晚上的咨询没人回。Loomdesk 会自动按规则分配咨询，让您的客服第二天一早先回这些客户，不再撞单。",
    "理解您的顾虑。我们会安排专人培训，有一家类似的电商客户，半天就上手了。",
    "团队版每席位每月39美元。",
    "理解，您要精打细算。十二个席位一年下来是5616美元，自动分配能省下两个人手，比多请一个客服便宜。",
    "下周三上午十点安排一次演示可以吗？",
)
PUSHY: Final = (
    "Hi, our product cuts costs by 50%, it's the best tool on the market and improves everything.",
    "The Business plan is $49 per seat. We guarantee 100% success. You must decide today!",
    "Don't worry about that, it's not important. Sign today, last chance!",
    "What are you waiting for? The offer ends today, you must sign now.",
)
SCENARIOS: Final = {"meridian-coo": ENGLISH, "yunxiu-owner": CHINESE}
