"""What stands in BGE-M3's way is told before anything is loaded; its vectors are tested in `tests/bge`."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.embedders import model_folder
from ingestion.embedders.bge_folder import checked_size
from runtime.errors import SettingsInvalid

HEADS = ("colbert_linear.pt", "sparse_linear.pt")


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the extra were there: a folder is looked at without it."""
    monkeypatch.setattr(model_folder, "_PACKAGES", ())


def write(folder: Path, config: str) -> Path:
    for head in HEADS:
        (folder / head).touch()
    (folder / "config.json").write_text(config)
    return folder


def test_without_the_extra_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The base install has no torch: whoever asks for BGE-M3 learns what to install, and in which order."""
    monkeypatch.setattr(model_folder, "_PACKAGES", ("torch_that_is_not_here",))
    with pytest.raises(SettingsInvalid, match=r"install torch, then `pip install -e '\.\[bge\]'`"):
        checked_size(tmp_path, 512)


def test_a_folder_that_is_not_there_is_named(installed: None, tmp_path: Path) -> None:
    """FlagEmbedding would take its name for that of a model and ask the network for it."""
    with pytest.raises(SettingsInvalid, match="nowhere"):
        checked_size(tmp_path / "nowhere", 512)


def test_the_size_is_the_models(installed: None, tmp_path: Path) -> None:
    """A smaller model of the same layout says so before its weights are read."""
    folder = write(tmp_path, '{"hidden_size": 1024, "max_position_embeddings": 8194}')
    assert checked_size(folder, 8192) == 1024
    with pytest.raises(SettingsInvalid, match="8192 tokens, fewer than 8193"):
        checked_size(folder, 8193)


@pytest.mark.parametrize("config", ["", "[]", '{"hidden_size": "wide", "max_position_embeddings": 8194}'])
def test_a_config_that_is_none_is_named(installed: None, tmp_path: Path, config: str) -> None:
    """A cut download is told by its file."""
    with pytest.raises(SettingsInvalid, match=r"config\.json"):
        checked_size(write(tmp_path, config), 512)
