"""`cornerman chat`: a conversation in the terminal, over the real WebSocket."""

from __future__ import annotations

import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import anyio
from prompt_toolkit import PromptSession
from prompt_toolkit.patch_stdout import patch_stdout
from rich.console import Console
from rich.text import Text

from runtime.errors import AppError
from terminal.conversation import Conversation, Piece, Question
from terminal.render import Screen

_HELP = """\
[dim]Practise a call, ask the playbook, or have something done; the assistant finds out which.
  /practise [SCENARIO]  start a practice call        /end    end the call and see the scorecard
  /ask QUESTION         ask the playbook             /do …   have a tool act
  /quit                 leave (the thread stays)     Ctrl-C  cancel the running answer[/dim]"""


async def chat(url: str, assistant: str, thread_id: str, scenario: str | None, api_key: str | None) -> None:
    """Talks until `/quit` or the end of input; with a `scenario` its practice call begins at once."""
    console = Console()
    conversation = Conversation(url, assistant, thread_id, api_key)
    console.print(f"[bold]Cornerman[/bold] · {assistant} · thread {thread_id}")
    console.print(_HELP)
    try:
        with patch_stdout(raw=True):
            if scenario:
                await _turn(console, conversation, to_input("/practise", scenario))
            async with aclosing(_lines()) as lines:
                async for line in lines:
                    if line in ("/quit", "/exit"):
                        break
                    if line:
                        await _turn(console, conversation, to_input(line, scenario))
    finally:
        await conversation.close()
    console.print(f"[dim]Go on later with: cornerman chat --thread {thread_id}[/dim]")


def to_input(line: str, scenario: str | None = None) -> dict[str, Any]:
    """The graph input that a typed line means."""
    word, _, rest = line.partition(" ")
    if word in ("/practise", "/restart"):
        chosen = rest.strip() or scenario
        return {"command": "restart", **({"scenario": chosen} if chosen else {})}
    if word in ("/end", "/pause", "/resume", "/repeat", "/help"):
        return {"command": word[1:]}
    return {"messages": [{"role": "user", "content": line}]}


async def _lines() -> AsyncGenerator[str, None]:
    """Lines typed at the prompt, or read from a pipe."""
    if not sys.stdin.isatty():
        while line := await anyio.to_thread.run_sync(sys.stdin.readline):
            yield line.strip()
        return
    session: PromptSession[str] = PromptSession()
    while True:
        try:
            yield (await session.prompt_async("you › ", handle_sigint=True)).strip()
        except KeyboardInterrupt:
            continue  # At the prompt Ctrl-C clears the line, as in a shell.
        except EOFError:
            return


async def _turn(console: Console, conversation: Conversation, payload: dict[str, Any]) -> None:
    screen = Screen(console)
    pieces = conversation.turn(payload)
    try:
        while (question := await _show(conversation, screen, pieces)) is not None:
            pieces = conversation.answer(question, await _approval(console, question))
    except AppError as exc:
        console.print(Text(f"{exc} ({exc.code})", style="red"))


async def _show(
    conversation: Conversation, screen: Screen, pieces: AsyncGenerator[Piece | Question, None]
) -> Question | None:
    """Shows a run as it streams; Ctrl-C cancels it, and the server's word ends the turn."""
    question: Question | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_cancel_on_interrupt, conversation, screen)
        async with aclosing(pieces) as stream:
            async for piece in stream:
                if isinstance(piece, Question):
                    question = question or piece
                else:
                    screen.show(piece)
        tasks.cancel_scope.cancel()
    screen.finish()
    return question


async def _cancel_on_interrupt(conversation: Conversation, screen: Screen) -> None:
    with anyio.open_signal_receiver(signal.SIGINT) as signals:
        async for _ in signals:
            screen.note("cancelling …")
            await conversation.cancel()


async def _approval(console: Console, question: Question) -> Any:
    value = question.value if isinstance(question.value, dict) else {"question": question.value}
    console.print("[yellow]An action needs your approval:[/yellow]")
    for name, item in value.items():
        console.print(Text(f"  {name}: {item}"))
    console.print("[yellow]Approve? (y/n)[/yellow]")
    async with aclosing(_lines()) as lines:
        async for line in lines:
            return {"approved": line.lower() in ("y", "yes", "是", "好")}
    return {"approved": False}
