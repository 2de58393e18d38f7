"""The folder of a model in BGE-M3's layout, looked at without loading it."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ValidationError

from ingestion.embedders.model_folder import check_files, check_length
from runtime.errors import SettingsInvalid

_FILES = ("config.json", "colbert_linear.pt", "sparse_linear.pt")
"""FlagEmbedding fills the last two with random numbers where they are missing, and takes the name of a folder
that is missing for that of a model to download."""


class _Config(BaseModel):
    hidden_size: int
    max_position_embeddings: int


def checked_size(folder: Path, max_tokens: int) -> int:
    """Floats of the model's dense vector, 1024 for BGE-M3 itself.

    Raises SettingsInvalid without the packages or a file, and where the model does not read `max_tokens`.
    """
    check_files("BGE-M3", folder, _FILES, "BAAI/bge-m3")
    try:
        config = _Config.model_validate_json((folder / "config.json").read_bytes())
    except (OSError, ValidationError) as exc:
        raise SettingsInvalid(f"{str(folder / 'config.json')!r} cannot be read") from exc
    check_length(config.max_position_embeddings, max_tokens)
    return config.hidden_size
