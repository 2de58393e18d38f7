"""What became of a question: answered with proof, refused, or wrong. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from benchmarks.answers.questions import Question
from nodes.citations import Citation, Source

Verdict = Literal["answered", "refused", "wrong"]
"""`answered`: it cites a passage that holds the answer. `wrong`: an answer that does not, or to a question
that the documents do not answer."""


@dataclass(frozen=True)
class Played:
    """A question and what came of it."""

    question: Question
    verdict: Verdict
    quoted: bool
    """Whether the very words that are cited hold the answer, not only their passage."""
    text: str
    """What the rep read."""

    @property
    def right(self) -> bool:
        return self.verdict == ("answered" if self.question.answer else "refused")


def judged(question: Question, state: Mapping[str, Any], text: str) -> Played:
    """`state` is the rag graph's after its run."""
    citations: Sequence[Citation] = state["citations"]
    answered = bool(state["grade"]["answerable"])
    proved = bool(question.answer) and holds(_cited(citations, state["sources"]), question.answer)
    told = question.unknown in text.partition("The playbook does not say")[2]
    verdict: Verdict = "refused" if not answered else "answered" if proved and told else "wrong"
    quoted = verdict == "answered" and holds("\n".join(c["quote"] for c in citations), question.answer)
    return Played(question, verdict, quoted, text)


def holds(text: str, answer: Sequence[Sequence[str]]) -> bool:
    """Whether one string of each part stands in the text; a figure not as a part of a longer one."""
    folded = fold_figures(text)
    return all(any(_pattern(one).search(folded) for one in part) for part in answer)


def fold_figures(text: str) -> str:
    """In lower case, without separators of thousands: a sheet has none."""
    return re.sub(r"(?<=\d),(?=\d{3})", "", text).casefold()


def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\d){re.escape(fold_figures(words))}(?!\d)")


def _cited(citations: Sequence[Citation], sources: Sequence[Source]) -> str:
    numbers = sorted({int(citation["marker"].strip("[]")) for citation in citations})
    return "\n".join(sources[number - 1]["text"] for number in numbers)
