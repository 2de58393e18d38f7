"""The demo's seven steps."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import anyio
import httpx
from rich.text import Text

from examples.calls import ENGLISH
from terminal.conversation import Conversation, Piece, Question
from terminal.demo_stage import Stage
from terminal.inspect import replay_table, replay_thread
from terminal.proxy import open_proxy
from terminal.render import custom_panel, scorecard_table, shorten

SCENARIO = "meridian-coo"
QUESTIONS = (
    "Which plans include single sign-on?",
    "哪个版本支持单点登录？",
)
LONG_QUESTION = "What should I find out in discovery, and how do I handle a price objection?"
TASK = "Book a follow-up with Dana Whitfield on 2026-12-04 at 10:00 about the pilot plan"


async def practise(stage: Stage) -> None:
    """A practice call with streamed tokens and hints."""
    talk = Conversation(stage.url, "coaching", stage.practice)
    replies: list[list[str]] = []
    hints: list[dict[str, Any]] = []
    for number, line in enumerate(ENGLISH, 1):
        stage.console.print(Text(f"  rep   {line}", style="bold"))
        said = await _listen(stage, talk.turn(_input(line, scenario=SCENARIO if number == 1 else None)))
        replies.append([p.text for p in said if p.kind == "token"])
        hints += [p.data for p in said if p.kind == "custom" and p.data and p.data.get("name") == "hint"]
    await talk.close()
    stage.check(len(replies) >= 6, f"the call had {len(replies)} turns")
    stage.check(all(replies), f"each reply was streamed, {sum(map(len, replies))} tokens in all")
    stage.check(len({"".join(tokens) for tokens in replies}) == len(replies), "no two replies are the same")
    stage.check(hints, f"the coach gave {len(hints)} hints beside the dialogue")


async def scorecard(stage: Stage) -> None:
    """The scorecard, each score with a quote that stands in the transcript."""
    values = (await _get(stage, f"/threads/{stage.practice}/state"))["values"]
    card = values.get("scorecard")
    stage.check(card, "the call ended with a scorecard")
    stage.console.print(scorecard_table(card))
    said = [turn["text"] for turn in values["turns"]]
    scored = [row for row in card["dimensions"] if row["status"] == "scored"]
    stage.check(scored, f"{len(scored)} dimensions have a number")
    stage.check(
        all(row["quotes"] and all(_stands(quote, said) for quote in row["quotes"]) for row in scored),
        "every number has a quote, and every quote stands at its turn and offset",
    )


def _stands(quote: Mapping[str, Any], turns: list[str]) -> bool:
    place = slice(quote["start"], quote["end"])
    return bool(turns[quote["turn"]][place] == quote["text"])


async def ask(stage: Stage) -> None:
    """Two questions to the playbook, one in Chinese."""
    for question in QUESTIONS:
        talk = Conversation(stage.url, "rag", str(uuid4()))
        stage.console.print(Text(f"  rep   {question}", style="bold"))
        said = await _listen(stage, talk.turn(_input(question)))
        await talk.close()
        cited = [p.data for p in said if p.kind == "custom" and p.data and p.data.get("name") == "citation"]
        stage.check(_text(said), "an answer")
        stage.check(cited, "with citations: " + "; ".join(sorted({c["locator"] for c in cited})))


async def act(stage: Stage) -> None:
    """A tool acts after an approval."""
    talk = Conversation(stage.url, "tool_calling", str(uuid4()))
    stage.console.print(Text(f"  rep   {TASK}", style="bold"))
    asked = await _collect(talk.turn(_input(TASK)))
    questions = [p for p in asked if isinstance(p, Question)]
    stage.check(len(questions) == 1, "the tool waits for an approval")
    stage.check(
        not any(isinstance(p, Piece) and p.kind == "tool_done" for p in asked),
        "and has done nothing before it",
    )
    stage.console.print(Text(f"  rep   approves {shorten(str(questions[0].value))}", style="bold"))
    said = await _listen(stage, talk.answer(questions[0], {"approved": True}))
    await talk.close()
    stage.check(any(p.kind == "tool_done" for p in said), "the tool has acted")
    stage.check(_text(said), "and the assistant says so")


async def drop(stage: Stage) -> None:
    """The socket is cut in mid-answer; the client resumes with `since`."""
    async with open_proxy(urlsplit(stage.url).port or 80) as proxy:
        talk = Conversation(proxy.url, "rag", str(uuid4()))
        received: list[Piece] = []
        tokens = 0
        async with aclosing(talk.turn(_input(LONG_QUESTION))) as pieces:
            async for piece in pieces:
                if isinstance(piece, Question):
                    continue
                received.append(piece)
                tokens += piece.kind == "token"
                if tokens == 10 and not proxy.cuts:
                    proxy.cut()
        await talk.close()
        stage.check(proxy.cuts, f"{proxy.cuts} connections were cut after 10 tokens")
    last = _last_message(await _get(stage, f"/threads/{talk.thread_id}/state"))
    stage.check(
        _text(received) == last, f"the {len(received)} pieces received give the answer, none lost or twice"
    )
    seqs = [p.seq for p in received]
    stage.check(seqs == sorted(set(seqs)), "each event came once and in order")


async def crash(stage: Stage) -> None:
    """The worker is killed mid-run; another finishes the run."""
    talk = Conversation(stage.url, "rag", str(uuid4()))
    killed = 0
    said: list[Piece] = []
    async with aclosing(talk.turn(_input(LONG_QUESTION))) as pieces:
        async for piece in pieces:
            if isinstance(piece, Piece):
                said.append(piece)
            if not killed and sum(p.kind == "token" for p in said) == 5:
                run = await _get(stage, f"/threads/{talk.thread_id}/runs/{talk.run_id}")
                killed = int(run["worker"].rpartition(":")[2])
                await stage.workers.kill(killed)
                stage.console.print(f"  worker {killed} was killed after 5 tokens; waiting for another …")
    await talk.close()
    run = await _get(stage, f"/threads/{talk.thread_id}/runs/{talk.run_id}")
    stage.check(killed and killed not in stage.workers.pids, f"worker {killed} is dead")
    stage.check(run["status"] == "success", f"the run ended with success on {run['worker']}")
    stage.check(run["attempts"] == 2, "in its second attempt")
    last = _last_message(await _get(stage, f"/threads/{talk.thread_id}/state"))
    stage.check(
        _text(said) == last, "the client was told that the first try was lost, and has the whole answer"
    )


async def replay(stage: Stage) -> None:
    """The practice call runs again from its checkpoints; the original does not move."""
    before = await _get(stage, f"/threads/{stage.practice}/state")
    turns = await replay_thread(stage.settings, "local", stage.practice)
    stage.console.print(replay_table(turns))
    after = await _get(stage, f"/threads/{stage.practice}/state")
    stage.check(len(turns) == len(ENGLISH), f"{len(turns)} turns were replayed")
    stage.check(not any(turn.differences for turn in turns), "each gave the same state again")
    stage.check(before == after, "the original thread stands where it stood")


STEPS: tuple[tuple[str, Callable[[Stage], Awaitable[None]]], ...] = (
    ("A practice call", practise),
    ("The scorecard", scorecard),
    ("Questions to the playbook", ask),
    ("A tool acts after an approval", act),
    ("The socket is cut in mid-answer", drop),
    ("The worker is killed mid-run", crash),
    ("Replay", replay),
)


def _input(text: str, **more: Any) -> dict[str, Any]:
    message = {"role": "user", "content": text}
    return {"messages": [message], **{key: value for key, value in more.items() if value is not None}}


async def _collect(pieces: AsyncGenerator[Piece | Question, None]) -> list[Piece | Question]:
    with anyio.fail_after(60):
        return [piece async for piece in pieces]


async def _listen(stage: Stage, pieces: AsyncGenerator[Piece | Question, None]) -> list[Piece]:
    """The pieces of a turn, shown: the answer, and the panels that came with it."""
    said = [piece for piece in await _collect(pieces) if isinstance(piece, Piece)]
    failed = [piece.text for piece in said if piece.kind == "failed"]
    if failed:
        stage.check(False, f"the run succeeds, but it failed: {failed[0]}")
    stage.console.print(Text(f"  reply {_text(said)}", style="cyan"))
    for piece in said:
        if piece.kind == "custom" and piece.data and piece.data.get("name") in ("hint", "citation"):
            stage.console.print(custom_panel(piece.data))
    return said


def _text(pieces: list[Piece]) -> str:
    """What stands when the stream is over: a lost message counts for nothing."""
    text, current = "", ""
    for piece in pieces:
        if piece.kind == "start":
            current = ""
        elif piece.kind == "token":
            current += piece.text
        elif piece.kind == "end":
            text += current
    return text


def _last_message(state: Mapping[str, Any]) -> str:
    content = state["values"]["messages"][-1]["content"]
    return content if isinstance(content, str) else "".join(block.get("text", "") for block in content)


async def _get(stage: Stage, path: str) -> Any:
    async with httpx.AsyncClient(base_url=stage.url, timeout=30, trust_env=False) as client:
        reply = await client.get(path)
    reply.raise_for_status()
    return reply.json()
