"""Settings."""

import pytest

from runtime.errors import SettingsInvalid
from runtime.settings import load


def test_a_bad_value_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variable and limit, so that it can be mended without reading code."""
    monkeypatch.setenv("CORNERMAN_PORT", "70000")
    with pytest.raises(SettingsInvalid, match=r"port: .*65535"):
        load()


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings end up in error reports."""
    for name in ("OPENAI_API_KEY", "CORNERMAN_API_KEYS", "CORNERMAN_REDIS_URL"):
        monkeypatch.setenv(name, "hush-hush")
    assert "hush-hush" not in repr(load())


def test_what_is_given_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command's option is the user's last word."""
    monkeypatch.setenv("CORNERMAN_PORT", "7000")
    assert load(port=7001).port == 7001
