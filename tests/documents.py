"""Documents of any Unicode for property tests, and counting rules that are not additive."""

from __future__ import annotations

from functools import cache

import tiktoken
from hypothesis import strategies as st

from ingestion.document import Part, assemble
from ingestion.table import render
from ingestion.tokens import Count, count

_SENTENCES = st.sampled_from(
    [
        "The price is 69 dollars per seat. ",
        "价格是每席位六十九美元。",
        "他说：“太贵了！”然后……",
        "Why now? ",
        "Mr. Ray of the U.S. team pays 3.5 e.g. monthly. ",
        "x" * 90 + " ",
        "e\u0301\u0323" * 30,
        "\u0301\n",
        "👨\u200d👩\u200d👧\u200d👦👍🏽🇩🇪🇫🇷",
        "מחיר לכל מושב הוא 69. ",
        "السعر مرتفع جداً؟ ",
        "𠀀𠀁𪛖" * 5,
        "a\u200bb\u2060c\u00a0",
        "\n\n",
    ]
)
_PROSE = st.one_of(st.lists(_SENTENCES, max_size=30).map("".join), st.text(max_size=200))
_CELLS = st.one_of(
    st.text(alphabet="ab |价格\n", max_size=12),
    st.just("word " * 30),
    st.sampled_from(["👨\u200d👩", "e\u0301"]),
)
_TABLES = st.integers(1, 5).flatmap(
    lambda width: st.lists(st.lists(_CELLS, min_size=width, max_size=width), max_size=20).map(render)
)
_PAGES = st.sampled_from([None, 1, 2])
_PARTS = st.one_of(
    st.builds(Part, st.just("heading"), st.text(max_size=30), st.integers(1, 6), _PAGES),
    st.builds(Part, st.sampled_from(["paragraph", "list", "figure"]), _PROSE, st.just(0), _PAGES),
    st.builds(Part, st.just("table"), _TABLES),
)
DOCUMENTS = st.lists(_PARTS, max_size=10).map(lambda parts: assemble("d", parts))


@cache
def pairs() -> Count:
    """Byte pairs, as a model counts: white space is part of a word, and a sign may be four tokens."""
    words = [f" {word}"[:n] for word in ("price", "seat", "dollars", "word") for n in range(2, 9)]
    ranks = {bytes([i]): i for i in range(256)}
    for word in dict.fromkeys(word.encode() for word in words):
        ranks.setdefault(word, len(ranks))
    pattern = r"\s?\w+|\s?[^\w\s]+|\s+"
    encoding = tiktoken.Encoding("tests", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    return lambda text: len(encoding.encode_ordinary(text))


def octets(text: str) -> int:
    """A rule with a price for every text, however short."""
    return 2 + len(text.encode()) // 2


RULES: dict[str, Count] = {"rule": count, "pairs": pairs(), "octets": octets}


def letters(text: str) -> str:
    """`text` without white space."""
    return "".join(text.split())
