"""Sparse BM25 vectors by the engine's own model: no weights, no download, English and Chinese."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from anyio import CapacityLimiter, to_thread
from qdrant_edge import Bm25, Bm25Config, Language, SparseVector, StopwordsSet, TokenizerType

from ingestion.embedders.batches import batches
from ingestion.language import language_of
from ingestion.vectors import Profile, Space, Sparse, Vectors

_AVERAGE_TOKENS = 128
"""Expected length of a child. Against the engine's 256, recall@10 on SciFact rises from .859 to .879."""
_AVERAGE_CHINESE_TOKENS = 256
"""The engine's. Against 128, nDCG@10 on children of CMRC 2018 rises by .004."""

_CHINESE_STOPWORDS = set(
    "的 了 是 在 和 與 及 或 嗎 呢 吧 嘛 啊 之 也 都 就 還 又 很 太 會 不會 沒有 請問 被 把 說"
    " 什麼 怎麼 怎樣 怎麼樣 如何 為什麼 多少 哪 哪些 哪個 誰 這 那 這個 那個 這些 那些 這樣 個"
    " 我 你 您 他 她 它 我們 你們 他們 她們 它們 咱們 們".split()
)
"""Pure function words. The engine's own Chinese list holds words that tell something: with it nDCG@10 on
children of CMRC 2018 is .845, with none .855, with these .854 and recall@10 .925 against .923; without any,
short questions to few documents find what shares `怎么` with them. Traditional characters on purpose: the
engine turns a token into them before it looks into this list."""

_NUMBER = re.compile(r"(?<![A-Za-z0-9])\d++(?:[.,]\d++)*+(?![A-Za-z])")
"""Digits beside Latin letters are a part of their word: `v2`, `10GB`. Nothing is given back (`++`), or the
`1` of `10GB` would be a number."""
_THOUSANDS = re.compile(r",(?=\d{3}(?:\D|$))")
_NAME = "words"
_BATCH = 64
_BATCH_CHARS = 64_000
_QUERY_THREADS = 4


class Bm25Embedder:
    """An `Embedder` of the vector `words`: words and numbers, without the IDF, which the engine adds."""

    profile = Profile("bm25", {_NAME: Space("sparse", idf=True)})

    def __init__(self) -> None:
        self._model, self._chinese = bm25(), bm25(_AVERAGE_CHINESE_TOKENS)
        # Apart, so that a search never waits for documents.
        self._documents_thread = CapacityLimiter(1)
        self._query_threads = CapacityLimiter(_QUERY_THREADS)

    async def documents(self, texts: Sequence[str], around: Sequence[str] = ()) -> list[Vectors]:
        """With passages around them, a text's weights are the sum of its own and its passage's.

        Alone, its few words miss what the passage says once, and flat chunks of a passage's size rank better
        (`make bench-retrieval`). A text that is its own passage counts twice, so that both kinds compare.
        """
        own = await self._all(texts)
        if not around:
            return own
        passages = list(dict.fromkeys(around))
        vectors = dict(zip(passages, await self._all(passages), strict=True))
        return [_sum(of_text, vectors[passage]) for of_text, passage in zip(own, around, strict=True)]

    async def query(self, text: str) -> Vectors:
        return await to_thread.run_sync(self._query, text, limiter=self._query_threads)

    async def weights(self, text: str) -> dict[int, float]:
        """A query's words by their numbers, stop words left out; {} where it has none."""
        sparse = (await self.query(text))[_NAME]
        assert isinstance(sparse, Sparse)
        return dict(zip(sparse.indices, sparse.values, strict=True))

    async def _all(self, texts: Sequence[str]) -> list[Vectors]:
        made: list[Vectors] = []
        for batch in batches(texts, _BATCH, _BATCH_CHARS):
            made += await to_thread.run_sync(self._documents, batch, limiter=self._documents_thread)
        return made

    def _documents(self, texts: Sequence[str]) -> list[Vectors]:
        return [self._document(text) for text in texts]

    def _document(self, text: str) -> Vectors:
        model = self._chinese if language_of(text) == "zh" else self._model
        return self._with_numbers(model.embed_document(text), text)

    def _query(self, text: str) -> Vectors:
        return self._with_numbers(self._model.embed_query(text), text)

    def _with_numbers(self, words: SparseVector, text: str) -> Vectors:
        """The engine's tokenizer drops what is digits alone, a price, a year: as words they are kept.

        On questions of CMRC 2018 that hold a number, recall@10 rises from .935 to .983. It weighs as a word
        that stands there once, and does not make the text longer: as a part of the text it cost .007 of
        recall@10 on SciFact, whose abstracts are full of numbers.
        """
        weights = dict(zip(words.indices, words.values, strict=True))
        found = " ".join(map(_as_word, _NUMBER.findall(unicodedata.normalize("NFKC", text))))
        numbers = self._model.embed_query(found)
        once = min(weights.values(), default=1.0)
        weights = {**dict.fromkeys(numbers.indices, once), **weights}
        return {_NAME: Sparse(list(weights), list(weights.values()))}


def bm25(average_tokens: int = _AVERAGE_TOKENS) -> Bm25:
    """Words stemmed as English, Chinese cut into words (the default tokenizer takes a clause for one word),
    stop words of both left out. Safe to share between threads."""
    return Bm25(
        Bm25Config(
            tokenizer=TokenizerType.Multilingual,
            stopwords=StopwordsSet(languages={Language.English}, custom=_CHINESE_STOPWORDS),
            avg_len=average_tokens,
        )
    )


def _sum(one: Vectors, other: Vectors) -> Vectors:
    weights: Counter[int] = Counter()
    for vectors in (one, other):
        sparse = vectors[_NAME]
        assert isinstance(sparse, Sparse)  # as the profile says
        weights.update(dict(zip(sparse.indices, sparse.values, strict=True)))
    return {_NAME: Sparse(list(weights), list(weights.values()))}


def _as_word(number: str) -> str:
    """`n1200` for `1,200`, `n3p5` for `3.5`."""
    return "n" + _THOUSANDS.sub("", number).replace(",", "p").replace(".", "p")
