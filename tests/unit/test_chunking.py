"""What a run, the settings and the command line may ask of the chunking."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ingestion.chunking import strategy_of
from ingestion.tokens import count
from runtime.errors import InvalidInput, SettingsInvalid
from runtime.settings import Settings, load
from terminal.chunking import parse_strategy, show_chunks


@pytest.fixture
def small(tmp_path: Path) -> Settings:
    """Smaller chunks than the defaults."""
    return load(data_dir=tmp_path / "data", child_tokens=32, parent_tokens=64)


@pytest.mark.parametrize("tokens", ["rule", "hf:/etc/passwd"])
def test_who_asks_does_not_say_how_tokens_are_counted(tokens: str) -> None:
    """It would be a way to this machine's files."""
    with pytest.raises(InvalidInput, match=r"tokens: Extra inputs .* known are \['name', 'parameters'\]"):
        strategy_of({"tokens": tokens})


def test_the_settings_say_how_tokens_are_counted() -> None:
    """By our rule, unless they name another."""
    assert strategy_of({}).rule is count
    with pytest.raises(SettingsInvalid, match="cannot be counted by 'words'"):
        strategy_of({"name": "sentence"}, "words")


@pytest.mark.parametrize("parameter", ["rule", "embed", "name", "self"])
def test_a_parameter_is_never_an_argument_of_ours(parameter: str) -> None:
    """A client's unknown parameter is its error, whatever it is called."""
    with pytest.raises(InvalidInput, match=f"sentence has no parameter '{parameter}'; it has tokens"):
        strategy_of({"name": "sentence", "parameters": {parameter: 1}})


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("parent_child", {"child_tokens": 32, "parent_tokens": 64}),
        ("parent_child:child_tokens=16", {"child_tokens": 16, "parent_tokens": 64}),
        ("sentence", {}),
        ("sentence:tokens=200, overlap = 10", {"tokens": 200, "overlap": 10}),
    ],
)
def test_the_configured_strategy_keeps_what_is_not_said(
    small: Settings, text: str, parameters: dict[str, Any]
) -> None:
    """Naming it changes nothing; another strategy has parameters of its own."""
    asked = parse_strategy(small, text)
    assert asked == {"name": text.partition(":")[0], "parameters": parameters}


@pytest.mark.parametrize("value", ["²", "--5", "-", "", "1.5", "٣", "9" * 5_000])
def test_a_parameter_is_a_whole_number(small: Settings, value: str) -> None:
    """What looks like one to Python is not one, and the message says what is expected."""
    with pytest.raises(InvalidInput, match="is not PARAMETER=NUMBER with a whole number"):
        parse_strategy(small, f"sentence:tokens={value}")


def test_a_negative_number_is_told_what_is_allowed(small: Settings) -> None:
    """It is a number, only out of range."""
    with pytest.raises(InvalidInput, match="tokens is -5; allowed is a whole number from"):
        parse_strategy(small, "sentence:tokens=-5")


@pytest.mark.anyio
async def test_chunks_takes_one_document(small: Settings, tmp_path: Path) -> None:
    """A folder stands for several."""
    for name in ("a.md", "b.md"):
        (tmp_path / name).write_text("Text.")
    with pytest.raises(InvalidInput, match="stands for 2 documents; `chunks` takes one document"):
        await show_chunks(small, tmp_path, [], False, Console())
