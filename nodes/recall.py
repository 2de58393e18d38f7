"""Recall: a verified answer of before to a question that asks the same, while the knowledge is the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from hashlib import blake2b
from typing import Any, Final

import anyio
from anyio import to_thread
from langgraph.runtime import Runtime

from nodes.bilingual import language_of
from nodes.citations import as_annotations
from nodes.likeness import bare, same_question
from nodes.question import Asking, Part, open_parts
from nodes.say import say
from runtime.context import Context, KeptAnswer
from runtime.errors import KnowledgeUnavailable
from runtime.fingerprint import fingerprint

_REVISION_S: Final = 1.0
"""A rep does not wait longer to learn whether an answer of before still holds."""


async def recall(state: Asking, runtime: Runtime[Context]) -> dict[str, Any]:
    """The earlier answer, streamed as any other, with its citations; or what a new one may be kept under.

    Its `response_metadata` says `cached` and `made_at`. What cannot be looked up in time is a miss.
    """
    answers, revision = runtime.context.answers, await _revision(runtime.context)
    if answers is None or not revision:
        return {"missed": None}
    question, under = state["parts"][0]["question"], await _under(state, runtime.context)
    asked = bare(question)
    kept = await answers.find(asked, revision=revision, under=under, same=partial(same_question, asked))
    if kept is None:
        return {"missed": {"revision": revision, "under": under}}
    return await _served(kept, question, runtime)


async def remember(state: Asking, runtime: Runtime[Context]) -> dict[str, Any]:
    """Keeps the answer if it is whole and verified, and the knowledge still what it was before the search."""
    answers, missed = runtime.context.answers, state["missed"]
    if answers is None or missed is None or not _is_sound(state):
        return {}
    if await _revision(runtime.context) == missed["revision"]:
        answer = {
            "text": state["messages"][-1].text,
            "sources": state["sources"],
            "citations": state["citations"],
        }
        await answers.keep(bare(state["parts"][0]["question"]), answer, **missed)
    return {}


async def _served(kept: KeptAnswer, question: str, runtime: Runtime[Context]) -> dict[str, Any]:
    text, sources, citations = (kept.answer[key] for key in ("text", "sources", "citations"))
    marks = {"cached": True, "made_at": kept.made_at}
    message = await say(text, annotate=lambda whole: as_annotations(whole, sources), marks=marks)
    for one in citations:
        runtime.stream_writer({"name": "citation", **one})
    runtime.stream_writer({"name": "verification", "unsupported": []})
    parts: list[Part] = [{"question": question, "answered": True}]
    return {
        "messages": [message],
        "parts": parts,
        "sources": sources,
        "citations": citations,
        "knowledge": "found",
        "grade": {"answerable": True, "nearest": []},
        "missed": None,
    }


def _is_sound(state: Asking) -> bool:
    whole = state["knowledge"] == "found" and not open_parts(state)
    return whole and bool(state["citations"]) and not state["unsupported"]


async def _under(state: Asking, context: Context) -> str:
    """A digest of what, beside the question and the knowledge, an answer depends on.

    The model as LangChain's own caches tell one from another, its URL and temperature included.
    """
    known: Mapping[str, Any] = {
        "model": context.model()._get_llm_string(),
        "code": await to_thread.run_sync(fingerprint, "graphs", "nodes"),
        "filters": state["narrowing"],
        "language": language_of(state["question"]),
        "passage_tokens": context.passage_tokens,
    }
    return blake2b(json.dumps(known, sort_keys=True).encode(), digest_size=16).hexdigest()


async def _revision(context: Context) -> str:
    """'' where it cannot be told in time."""
    with anyio.move_on_after(_REVISION_S):
        try:
            return await context.knowledge_revision()
        except KnowledgeUnavailable:
            return ""
    return ""
