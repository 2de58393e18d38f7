"""Counting tokens, and the rules that settings may name."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.tokens import TOKEN, count, counter
from runtime.errors import SettingsInvalid


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), (" \n\u3000", 0), ("price", 1), ("internationalization", 3), ("价格 99.5", 5), ("𠀀é👍", 3)],
)
def test_our_rule(text: str, tokens: int) -> None:
    """A CJK character, eight letters, or another sign."""
    assert count(text) == tokens


@given(st.text())
def test_no_sign_is_without_a_token(text: str) -> None:
    """What has no token could grow a chunk without end."""
    assert "".join(TOKEN.findall(text)) == "".join(text.split())


def test_the_same_name_is_the_same_rule() -> None:
    """Strategies are compared by their rule."""
    assert counter("rule") is count


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("words", "allowed are 'rule'"),
        ("tiktoken:gpt9", "'gpt9' is none of r50k_base"),
        ("tiktoken:o200k_base", "TIKTOKEN_CACHE_DIR is ''"),
    ],
)
def test_rules_that_do_not_exist(name: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake in the settings is named; nothing is downloaded behind the user's back."""
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR", raising=False)
    with pytest.raises(SettingsInvalid, match=said):
        counter(name)


def test_a_vocabulary_that_is_not_in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the file that is looked for."""
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    with pytest.raises(SettingsInvalid, match="holds it as 'fb374d419588a4632f3f557e76b4b70aebbca790'"):
        counter("tiktoken:o200k_base")


def test_a_tokenizer_file(tmp_path: Path) -> None:
    """The embedder's own counting, where its library is installed; else its name is said."""
    path = tmp_path / "tokenizer.json"
    try:
        tokenizers = import_module("tokenizers")
    except ImportError:
        with pytest.raises(SettingsInvalid, match="needs the package 'tokenizers'"):
            counter(f"hf:{path}")
        return
    with pytest.raises(SettingsInvalid, match="there is no tokenizer file"):
        counter(f"hf:{path}")
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0, "a": 1}, unk_token="[UNK]"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.enable_truncation(2)
    made.save(str(path))
    assert counter(f"hf:{path}")("a b c d") == 4
