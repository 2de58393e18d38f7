"""A fixed knowledge and the context that serves it: what the graphs' tests share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from langchain_core.language_models import BaseChatModel

from nodes.bilingual import language_of, terms
from runtime.context import Context, Search, User
from runtime.errors import KnowledgeUnavailable
from runtime.narrowing import ANYTHING, Filters
from runtime.passage import Passage

PACKS = Path(__file__).parents[1] / "examples" / "packs"

DOCUMENTS: dict[str, tuple[str, int | None, str]] = {
    "price-list.xlsx": (
        "Plans, USD without tax.\n\n"
        "|  | Starter | Team | Business | Enterprise |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| Price per seat and month, annual contract (USD) | 19 | 39 | 69 | 99 |\n"
        "| Price per seat and month, monthly billing (USD) | 23 | 47 | 83 | not offered |\n"
        "| Minimum seats | 1 | 5 | 15 | 50 |\n"
        "| Maximum seats | 10 | 100 | 400 | none |\n"
        "| Onboarding fee, once (USD) | 0 | 500 | 2500 | 9000 |\n"
        "| Single sign-on (SAML) | no | no | yes | yes |",
        None,
        "Plans!A1:E7",
    ),
    "discounts.xlsx": (
        "Discounts by seats, for annual contracts.\n\n"
        "| Seats on an annual contract | Discount |\n| --- | --- |\n"
        "| 1 to 24 | 0 % |\n| 25 to 49 | 5 % |\n| 50 and more | 20 % |\n\n"
        "Discounts by term.\n\n"
        "| Term | Discount |\n| --- | --- |\n| 1 year | 0 % |\n| 2 years | 5 % |\n| 3 years | 10 % |\n\n"
        "Rules for discounts.\n\nSeat and term discounts are added; together they stop at 25 %.",
        None,
        "Discounts!A1:B12",
    ),
    "battlecard.pdf": (
        "Battlecard Harborline\n\nHarborline charges 4,000 dollars for onboarding, from Professional on. "
        "Harborline stores data in the United States only. Loomdesk goes live in three to four weeks.",
        2,
        "",
    ),
    "playbook.docx": (
        "Compliance\n\nNever promise\n\n- A result, a saving or a return as certain.\n"
        "- A discount above your limit.",
        None,
        "Compliance > Never promise",
    ),
    "guide.zh.md": (
        "价格\n\n按年签约，入门版（Starter）每席位每月 19 美元，团队版（Team）39 美元，"
        "商务版（Business）69 美元。"
        "客户说太贵了，先认同，再问清和什么相比。",
        None,
        "价格",
    ),
}
"""Name: (text, page, section). Each is one passage; its quote is the text behind the first heading."""


def passages() -> list[Passage]:
    """One passage for each document, with offsets that hold in its text."""
    found = []
    for name, (text, page, section) in DOCUMENTS.items():
        start = text.index("\n\n") + 2
        quote = text[start:]
        found.append(
            Passage(
                name,
                f"id-{name}",
                text,
                quote,
                start,
                len(text),
                1.0,
                page,
                section,
                language_of(text),
                parent_id=f"parent-{name}",
                version=f"version-{name}",
                tokens=len(text) // 4,
            )
        )
    return found


async def search(query: str, *, limit: int = 5, filters: Filters = ANYTHING) -> list[Passage]:
    """The passages that share a term with the query, those that share most first.

    Of the filters it knows documents and languages.
    """
    wanted = terms(query)
    met = [
        p
        for p in passages()
        if (not filters.documents or p.document in filters.documents)
        and (not filters.languages or p.language in filters.languages)
    ]
    shared = [(len(terms(f"{p.document} {p.text}") & wanted), p) for p in met]
    ranked = sorted((s for s in shared if s[0]), key=lambda s: -s[0])
    return [passage for _, passage in ranked[:limit]]


async def no_search(query: str, *, limit: int = 5, filters: Filters = ANYTHING) -> list[Passage]:
    """Knowledge that cannot be reached."""
    raise KnowledgeUnavailable


def context(model: BaseChatModel, find: Search = search, *, packs: Path = PACKS) -> Context:
    """A rep's context."""
    return Context(User("acme", "ana"), lambda: model, find, packs)


def stands(citation: dict[str, object]) -> bool:
    """Whether a citation's quote stands at its offsets in the document it names."""
    text = DOCUMENTS[str(citation["document"])][0]
    start, end = citation["start"], citation["end"]
    assert isinstance(start, int) and isinstance(end, int)
    return bool(citation["quote"]) and text[start:end] == citation["quote"]


def names(events: Sequence[dict[str, object]]) -> list[object]:
    """The names of custom events."""
    return [event["name"] for event in events]
