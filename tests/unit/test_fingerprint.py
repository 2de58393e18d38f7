"""Code that has changed says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.fingerprint import fingerprint


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that can be found by its name."""
    folder = tmp_path / "fingered"
    (folder / "inner").mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "inner" / "prompts.py").write_text("ASK = 'a'")
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def test_it_changes_with_any_file(package: Path) -> None:
    """A prompt that is worded anew, wherever it stands, gives new answers."""
    seen = set()
    for write in (
        lambda: None,
        lambda: (package / "inner" / "prompts.py").write_text("ASK = 'b'"),
        lambda: (package / "inner" / "prompts.py").rename(package / "prompts.py"),
        lambda: (package / "more.py").touch(),
    ):
        write()
        fingerprint.cache_clear()
        seen.add(fingerprint(package.name))
        assert fingerprint(package.name) in seen
    assert len(seen) == 4


def test_what_is_no_package_is_refused() -> None:
    """A name that was moved must not be the same for ever."""
    for name in ("nowhere_at_all", "json.decoder"):
        with pytest.raises(ModuleNotFoundError):
            fingerprint(name)
