"""How a conversation looks in the terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from runtime.scripted import tokens
from terminal.chat import to_input
from terminal.conversation import Piece
from terminal.render import Screen, custom_panel, scorecard_table

HINT = {"name": "hint", "text": "Ask [why].", "suggestion": "“Why is that?”"}
CARD = {
    "name": "scorecard",
    "total": 62,
    "tier": 50,
    "dimensions": [
        {
            "dimension": "next_step",
            "status": "scored",
            "score": 3,
            "reason": "",
            "quotes": [{"turn": 4, "text": "on [Tuesday]"}],
        },
        {"dimension": "value", "status": "not_observed", "score": None, "reason": "no claim", "quotes": []},
    ],
}


def shown(*pieces: Piece, width: int = 40) -> str:
    out = io.StringIO()
    screen = Screen(Console(file=out, width=width))
    for piece in pieces:
        screen.show(piece)
    screen.finish()
    return out.getvalue()


def said(text: str) -> list[Piece]:
    return [Piece("start"), *(Piece("token", token) for token in tokens(text)), Piece("end")]


@pytest.mark.parametrize(
    "text", ["a lengthy answer of words " * 10, "报价单里写着团队版的价格。" * 10, "one\ntwo\nthree"]
)
def test_words_stay_whole_and_none_is_lost(text: str) -> None:
    """The terminal would cut a word at its edge; Chinese takes two columns a character."""
    out = shown(*said(text))
    assert "".join(out.split()) == "›" + "".join(text.split())
    assert all(line.strip() in text or line.startswith("›") for line in out.splitlines())


def test_a_hint_waits_for_the_end_of_the_line() -> None:
    """It stands beside the dialogue, not in the middle of a word."""
    start, *rest = said("one two three")
    out = shown(start, rest[0], Piece("custom", data=HINT), *rest[1:])
    assert "one two three" in out and out.index("one two three") < out.index("Ask [why].")
    assert "“Why is that?”" in out


def test_brackets_in_what_people_say_are_shown() -> None:
    """They are no markup."""
    file = io.StringIO()
    console = Console(file=file, width=100)
    console.print(scorecard_table(CARD))
    console.print(custom_panel({"name": "citation", "marker": "[1]", "locator": "a.md", "quote": "[bold]"}))
    out = file.getvalue()
    for part in (
        "on [Tuesday]",
        "[1] a.md",
        "[bold]",
        "62 of 100, tier 50",
        "next step",
        "not observed",
        "no claim",
    ):
        assert part in out


def test_a_failure_tells_its_code_and_a_lost_message_that_it_was_lost() -> None:
    """What was half said is marked before the reason is given."""
    out = shown(
        *said("half")[:-1], Piece("lost", "gone"), Piece("failed", "Run cancelled", {"code": "run_cancelled"})
    )
    assert "half (cut off)" in out and "Run cancelled (run_cancelled)" in out


def test_events_that_are_not_for_people_are_not_shown() -> None:
    """A graph may send whatever it likes."""
    assert custom_panel({"name": "verification", "ok": True}) is None
    assert custom_panel({}) is None


@pytest.mark.parametrize(
    ("line", "scenario", "payload"),
    [
        ("/practise", None, {"command": "restart"}),
        ("/practise yunxiu-owner", None, {"command": "restart", "scenario": "yunxiu-owner"}),
        ("/practise", "meridian-coo", {"command": "restart", "scenario": "meridian-coo"}),
        ("/end", None, {"command": "end"}),
        ("/ask why?", None, {"messages": [{"role": "user", "content": "/ask why?"}]}),
        ("hello", None, {"messages": [{"role": "user", "content": "hello"}]}),
    ],
)
def test_what_a_typed_line_means(line: str, scenario: str | None, payload: dict[str, object]) -> None:
    """Commands are fields of the input, never guessed from the text by a graph."""
    assert to_input(line, scenario) == payload
