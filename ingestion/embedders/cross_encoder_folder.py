"""The folder of a cross-encoder in bge-reranker's layout, looked at without loading it."""

from __future__ import annotations

from pathlib import Path

import orjson
from pydantic import BaseModel, ValidationError

from ingestion.embedders.model_folder import check_files, check_length
from runtime.errors import SettingsInvalid

_FILES = ("config.json", "tokenizer.json", "model.safetensors")
"""FlagEmbedding takes the name of a folder that is missing for that of a model to download."""
_HEAD = "classifier.out_proj.weight"
"""Without it in the file, as in an embedding model's, transformers makes up a random head and only warns."""
_KIND = "XLMRobertaForSequenceClassification"
_MAX_HEADER_BYTES = 100_000_000
"""As safetensors itself allows."""


class _Config(BaseModel):
    architectures: list[str]
    max_position_embeddings: int
    id2label: dict[str, str] = {"0": "", "1": ""}
    """Two, where the file says nothing (transformers, configuration_utils.py)."""


def check_folder(folder: Path, max_tokens: int) -> None:
    """Raises SettingsInvalid without the packages or a file, for a model that does not give one score for a
    pair of texts, and for one that does not read `max_tokens`."""
    check_files("cross-encoder", folder, _FILES, "BAAI/bge-reranker-v2-m3")
    config = _config(folder / "config.json")
    scores_pairs = _KIND in config.architectures and len(config.id2label) == 1
    if not scores_pairs or _HEAD not in _tensors(folder / "model.safetensors"):
        raise SettingsInvalid(
            f"the model in {str(folder)!r} is {config.architectures} of {len(config.id2label)} labels; a"
            f" reranker is {_KIND} of one, with {_HEAD!r} among its weights"
        )
    check_length(config.max_position_embeddings, max_tokens)


def _config(file: Path) -> _Config:
    try:
        return _Config.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as exc:
        raise SettingsInvalid(f"{str(file)!r} cannot be read") from exc


def _tensors(file: Path) -> set[str]:
    """Names in the file's header: eight bytes of its length, then JSON (safetensors' README, "Format")."""
    try:
        with file.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            header = orjson.loads(opened.read(min(length, _MAX_HEADER_BYTES)))
    except (OSError, orjson.JSONDecodeError) as exc:
        raise SettingsInvalid(f"{str(file)!r} cannot be read") from exc
    return set(header) if isinstance(header, dict) else set()
