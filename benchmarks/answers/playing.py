"""Plays a question set over documents: ingested by the real pipeline, asked through the real composition."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from rich.console import Console

from benchmarks.answers.questions import Question
from benchmarks.answers.verdicts import Played, judged
from compose import open_installation
from graphs import GRAPHS
from runtime.context import Context, User
from runtime.settings import load
from terminal.ingest import Asked, ingest

TENANT = "bench"


@asynccontextmanager
async def over(folders: Sequence[Path], data_dir: Path) -> AsyncIterator[tuple[Context, list[str]]]:
    """What a user's runs may use once the folders' files are ingested, and what was not ingested."""
    quiet, settings = Console(quiet=True), load(data_dir=data_dir)
    async with open_installation(settings, own_index=True, work=True) as installation:
        outcomes = await ingest(installation, Asked([str(one) for one in folders], TENANT), quiet)
        left = [f"{one.document}: {one.reason}" for one in outcomes if one.status != "ingested"]
        yield installation.context_for(User(TENANT, "bench")), left


async def play_all(context: Context, questions: Sequence[Question]) -> list[Played]:
    """Each question in a conversation of its own, one after the other."""
    return [await play(context, question) for question in questions]


async def play(context: Context, question: Question) -> Played:
    """The question, behind what the same person asked before."""
    graph = GRAPHS["rag"]().compile(checkpointer=InMemorySaver())
    config: RunnableConfig = {"configurable": {"thread_id": os.urandom(8).hex()}}
    state: dict[str, Any] = {}
    for text in (*question.after, question.question):
        said = len(state.get("messages", ()))
        asked = {"messages": [{"role": "user", "content": text}]}
        state = await graph.ainvoke(asked, config, context=context)
    told = state["messages"][said + 1 :]
    return judged(question, state, "\n".join(message.text for message in told))
