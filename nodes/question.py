"""Questions to the knowledge: retrieve, grade, answer with citations, verify."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages
from langgraph.runtime import Runtime
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from nodes.ask import ask
from nodes.bilingual import language_of
from nodes.citations import Citation, Source, citations, cite, source
from nodes.evidence import cited, claims_something, supports, translated
from nodes.say import say
from runtime.brief import write_brief
from runtime.context import Context
from runtime.errors import InvalidInput, KnowledgeUnavailable

PASSAGES: Final = 6
ASK: Final = "/ask"
"""Prefix by which a rep puts a question to the playbook in the middle of a call."""

_GRADE = """
Decide whether the passages answer the question. `answerable` is true only when the answer itself stands in
them; a passage on a related matter is not an answer. `relevant` lists the numbers of the passages that hold
it, best first. `nearest` is the number of the passage that comes nearest to the question, 0 when none does.
"""
_ANSWER = """
Answer the question from the passages and from nothing else, in the language of `language`, in one to four
sentences. End each sentence with the number of the passage that says it, as [1]. Figures and names stand
exactly as in the passage. Say nothing that no passage says.
"""


class Grade(BaseModel):
    """Whether the passages answer the question."""

    model_config = ConfigDict(extra="forbid")
    answerable: bool
    relevant: list[int] = Field(description="Numbers of passages, best first.")
    nearest: int = Field(description="Number of the nearest passage, 0 for none.")


class Asking(TypedDict, total=False):
    """State of the rag graph."""

    messages: Annotated[list[AnyMessage], add_messages]
    question: str
    knowledge: Literal["found", "empty", "unavailable"]
    sources: list[Source]
    grade: dict[str, Any]
    citations: list[Citation]
    unsupported: list[str]
    """Sentences of the answer that their passage does not bear out."""


async def retrieve(state: Asking, runtime: Runtime[Context]) -> dict[str, Any]:
    """The passages for the rep's last message; raises InvalidInput when it is empty."""
    question = question_of(state)
    start = {"question": question, "sources": [], "citations": [], "unsupported": [], "grade": {}}
    try:
        found = await runtime.context.search(translated(question), limit=PASSAGES)
    except KnowledgeUnavailable:
        return {**start, "knowledge": "unavailable"}
    return {**start, "sources": [source(p) for p in found], "knowledge": "found" if found else "empty"}


async def grade(state: Asking, runtime: Runtime[Context]) -> dict[str, Any]:
    """Keeps the passages that answer; numbers the model invents are dropped."""
    brief = write_brief("grade", _GRADE, question=state["question"], passages=_shown(state["sources"]))
    result = await ask(runtime.context.model(), Grade, [brief])
    valid = range(1, len(state["sources"]) + 1)
    relevant = list(dict.fromkeys(n for n in result.relevant if n in valid))
    nearest = result.nearest if result.nearest in valid else 0
    kept = [state["sources"][n - 1] for n in relevant]
    if result.answerable and kept:
        return {"grade": {"answerable": True}, "sources": kept}
    near = [state["sources"][nearest - 1]] if nearest else []
    return {"grade": {"answerable": False}, "sources": near}


async def answer(state: Asking, runtime: Runtime[Context]) -> dict[str, Any]:
    """The answer, streamed, and its citations as custom events `citation`."""
    language = language_of(state["question"])
    brief = write_brief(
        "answer", _ANSWER, question=state["question"], language=language, passages=_shown(state["sources"])
    )
    message = await runtime.context.model().ainvoke([brief])
    found = citations(message.text, state["sources"])
    _emit(runtime, found)
    return {"messages": [message], "citations": found}


async def verify(state: Asking, runtime: Runtime[Context]) -> dict[str, Any]:
    """Names the sentences that their passages do not bear out, to the client and to the rep."""
    unsupported = unsupported_sentences(state["messages"][-1].text, state["sources"])
    runtime.stream_writer({"name": "verification", "unsupported": unsupported})
    if not unsupported:
        return {"unsupported": []}
    listed = " / ".join(unsupported)
    text = f"请注意：以下内容资料中没有依据：{listed}"
    if language_of(state["question"]) == "en":
        text = f"Correction: the playbook does not bear this out: {listed}"
    return {"unsupported": unsupported, "messages": [await say(text)]}


async def decline(state: Asking, runtime: Runtime[Context]) -> dict[str, Any]:
    """Says what the knowledge does not hold, and what comes nearest, or that it cannot be reached."""
    language = language_of(state["question"])
    if state["knowledge"] == "unavailable":
        return {"messages": [await say(_UNAVAILABLE[language])]}
    if not state["sources"]:
        return {"messages": [await say(_NOTHING[language])]}
    near = cite(1, state["sources"][0], state["question"])
    _emit(runtime, [near])
    text = _NEAREST[language].format(quote=near["quote"], locator=near["locator"])
    return {"messages": [await say(text)], "citations": [near]}


def question_of(state: Mapping[str, Any]) -> str:
    """The rep's last message without its prefix; raises InvalidInput when nothing is left."""
    history = state.get("messages", [])
    text = history[-1].text.strip() if history and history[-1].type == "human" else ""
    text = text.removeprefix(ASK).strip()
    if not text:
        raise InvalidInput("the question is empty or holds no text")
    return text


def unsupported_sentences(text: str, sources: list[Source]) -> list[str]:
    """The sentences of an answer that claim something no cited passage holds."""
    found = []
    for words, markers in cited(text):
        texts = [_with_place(sources[n - 1]) for n in markers if 1 <= n <= len(sources)]
        if claims_something(words) and not any(supports(one, words) for one in texts):
            found.append(words)
    return found


def _shown(sources: list[Source]) -> list[dict[str, Any]]:
    return [
        {
            "number": number,
            "document": s["document"],
            "section": s["section"],
            "language": s["language"],
            "text": s["text"],
        }
        for number, s in enumerate(sources, 1)
    ]


def _with_place(cited_source: Source) -> str:
    return f"{cited_source['document']} {cited_source['section']}\n{cited_source['text']}"


def _emit(runtime: Runtime[Context], found: list[Citation]) -> None:
    for one in found:
        runtime.stream_writer({"name": "citation", **one})


_UNAVAILABLE: Final = {
    "en": "I cannot reach the playbook right now, so I will not guess. Please ask again in a moment.",
    "zh": "现在无法访问资料库，我不想凭猜测回答，请稍后再问。",
}
_NOTHING: Final = {
    "en": "The playbook does not say anything about that.",
    "zh": "资料里没有提到这一点。",
}
_NEAREST: Final = {
    "en": "The playbook does not answer that. The nearest it has is “{quote}” ({locator}) [1].",
    "zh": "资料里没有这个问题的答案。最接近的是“{quote}”（{locator}）[1]。",
}
