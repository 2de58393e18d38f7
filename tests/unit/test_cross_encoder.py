"""What stands in a cross-encoder's way is told before anything is loaded; `tests/bge` has its scores."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingestion.embedders import model_folder
from ingestion.embedders.cross_encoder_folder import check_folder
from runtime.errors import SettingsInvalid

FILES = ("config.json", "tokenizer.json", "model.safetensors")
CONFIG = {
    "architectures": ["XLMRobertaForSequenceClassification"],
    "max_position_embeddings": 8194,
    "id2label": {"0": "LABEL_0"},
}
HEAD = ("classifier.dense.weight", "classifier.out_proj.weight")


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the extra were there: a folder is looked at without it."""
    monkeypatch.setattr(model_folder, "_PACKAGES", ())


def write(folder: Path, *, tensors: tuple[str, ...] = HEAD, **config: object) -> Path:
    header = json.dumps({name: {"dtype": "F32"} for name in tensors}).encode()
    (folder / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + b"weights")
    (folder / "tokenizer.json").write_text("{}")
    (folder / "config.json").write_text(json.dumps(CONFIG | config))
    return folder


def test_without_the_extra_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The base install has no torch: whoever asks for a cross-encoder learns what to install."""
    monkeypatch.setattr(model_folder, "_PACKAGES", ("torch_that_is_not_here",))
    with pytest.raises(SettingsInvalid, match=r"install torch, then `pip install -e '\.\[bge\]'`"):
        check_folder(tmp_path, 512)


def test_a_whole_folder_passes(installed: None, tmp_path: Path) -> None:
    """And the model's own limit of tokens is the limit."""
    check_folder(write(tmp_path), 8192)
    with pytest.raises(SettingsInvalid, match="8192 tokens, fewer than 8193"):
        check_folder(tmp_path, 8193)


def test_a_folder_that_is_not_there_is_named(installed: None, tmp_path: Path) -> None:
    """FlagEmbedding would take its name for that of a model and ask the network for it."""
    with pytest.raises(SettingsInvalid, match="nowhere"):
        check_folder(tmp_path / "nowhere", 512)


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file_is_named(installed: None, tmp_path: Path, file: str) -> None:
    """A download that was left half way is told by what it lacks."""
    (write(tmp_path) / file).unlink()
    with pytest.raises(SettingsInvalid, match=file):
        check_folder(tmp_path, 512)


@pytest.mark.parametrize("file", ["config.json", "model.safetensors"])
@pytest.mark.parametrize("content", [b"", b"[]", b"\xff" * 40, b"\x02" + bytes(7) + b"[]"])
def test_a_file_that_is_none_is_named(installed: None, tmp_path: Path, file: str, content: bytes) -> None:
    """A cut download is a setting that is wrong, not a traceback."""
    (write(tmp_path) / file).write_bytes(content)
    with pytest.raises(SettingsInvalid):
        check_folder(tmp_path, 512)


@pytest.mark.parametrize(
    "other",
    [
        {"architectures": ["XLMRobertaModel"]},
        {"id2label": {"0": "no", "1": "yes"}},
        {"tensors": ("encoder.layer.0.output.dense.weight",)},
    ],
    ids=["embedder", "labels", "head"],
)
def test_a_model_that_scores_no_pairs_is_refused(
    installed: None, tmp_path: Path, other: dict[str, object]
) -> None:
    """transformers would make up the head that is missing, and rank by chance."""
    with pytest.raises(SettingsInvalid, match="a reranker is"):
        check_folder(write(tmp_path, **other), 512)  # type: ignore[arg-type]  # as `write` names them
