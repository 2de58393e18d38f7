"""Listen: take the rep's turn, or the command that came instead of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

from langgraph.runtime import Runtime

from nodes import notices
from nodes.call import CallCommand, CallState, Turn, fresh, live
from nodes.packs import known_packs, load_pack
from nodes.say import say
from runtime.context import Context
from runtime.errors import InvalidInput

COMMANDS: tuple[str, ...] = get_args(CallCommand)


async def listen(state: CallState, runtime: Runtime[Context]) -> dict[str, Any]:
    """Adds the rep's words to the transcript, starts a call where none runs, or carries out a command.

    Raises InvalidInput for an empty turn, an unknown scenario or command, and for anything but `restart` and
    `help` after the call has ended; the state stays as it was.
    """
    command, call = state.get("command"), state.get("call")
    if command is not None and command not in COMMANDS:
        raise InvalidInput(f"unknown command {command!r}; known: {', '.join(COMMANDS)}", known=COMMANDS)
    if command == "restart" or (call is None and command is None):
        return await _begin(state, runtime.context.packs_dir)
    if command == "help":
        return await _spoken(notices.help_text(state))
    _check_open(state, command)
    if command is None:
        return {"heard": "turn", "turns": [*state["turns"], _rep_turn(state)]}
    return await _obey(command, state)


async def _begin(state: CallState, folder: Path) -> dict[str, Any]:
    known = await known_packs(folder)
    if not known:
        raise InvalidInput(f"there are no scenarios in {str(folder)!r}")
    pack = await load_pack(_wanted(state) or known[0], folder)
    start = fresh(pack)
    if state.get("command") is None and state.get("messages"):
        return {**start, "heard": "turn", "turns": [_rep_turn(state)]}
    return {**start, **await _spoken(notices.brief(pack))}


def _wanted(state: CallState) -> str | None:
    call = state.get("call")
    return state.get("scenario") or (call["scenario"] if call else None)


def _rep_turn(state: CallState) -> Turn:
    history = state.get("messages", [])
    if not history or history[-1].type != "human":
        raise InvalidInput("there is nothing to answer: send a message of the rep or a command")
    text = history[-1].text.strip()
    if not text:
        raise InvalidInput("the message is empty or holds no text")
    return {"speaker": "rep", "name": "", "text": text}


def _check_open(state: CallState, command: CallCommand | None) -> None:
    call, scenario = live(state), state.get("scenario")
    # A debrief that failed may be asked for again.
    if call["status"] == "ended" and not (command == "end" and state.get("scorecard") is None):
        raise InvalidInput("the call has ended; start a new one or send the command restart")
    if scenario and scenario != call["scenario"]:
        raise InvalidInput(
            f"a call with the scenario {call['scenario']!r} is running; end it, or restart with {scenario!r}"
        )
    if call["status"] == "paused" and command not in ("resume", "end"):
        raise InvalidInput("the call is paused; send the command resume")


async def _obey(command: CallCommand, state: CallState) -> dict[str, Any]:
    call = live(state)
    if command == "pause":
        return {"call": {**call, "status": "paused"}, **await _spoken(notices.paused(call))}
    if command == "resume":
        return {"call": {**call, "status": "live"}, **await _spoken(notices.resumed(state))}
    spoken = [turn["text"] for turn in state["turns"] if turn["speaker"] == "buyer"]
    if not spoken:
        raise InvalidInput("the buyer has not said anything in this call yet")
    if command == "repeat":
        return await _spoken(spoken[-1], name="buyer")
    return {"heard": "end"}


async def _spoken(text: str, *, name: str = "coach") -> dict[str, Any]:
    return {"heard": "aside", "messages": [await say(text, name=name)]}
