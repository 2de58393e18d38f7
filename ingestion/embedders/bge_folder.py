"""The folder of a model in BGE-M3's layout, looked at without loading it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from pydantic import BaseModel, ValidationError

from runtime.errors import SettingsInvalid

_FILES = ("config.json", "colbert_linear.pt", "sparse_linear.pt")
"""FlagEmbedding fills the last two with random numbers where they are missing, and takes the name of a folder
that is missing for that of a model to download."""
_PACKAGES = ("torch", "FlagEmbedding")
_LIMIT_TOKENS = 2
"""Positions begin after that of the padding, which is 1 (transformers, modeling_xlm_roberta.py)."""


class _Config(BaseModel):
    hidden_size: int
    max_position_embeddings: int


def hidden_size(folder: Path, max_tokens: int) -> int:
    """Floats of the model's dense vector, 1024 for BGE-M3 itself.

    Raises SettingsInvalid without the packages or a file, and where the model does not read `max_tokens`.
    """
    if missing := [name for name in _PACKAGES if not find_spec(name)]:
        raise SettingsInvalid(
            f"BGE-M3 needs {' and '.join(missing)}: install torch, then `pip install -e '.[bge]'`"
        )
    if absent := [name for name in _FILES if not (folder / name).is_file()]:
        raise SettingsInvalid(
            f"the folder {str(folder)!r} is no BGE-M3, it has no {' and '.join(absent)};"
            " put the files of BAAI/bge-m3 there"
        )
    try:
        config = _Config.model_validate_json((folder / "config.json").read_bytes())
    except (OSError, ValidationError) as exc:
        raise SettingsInvalid(f"{str(folder / 'config.json')!r} cannot be read") from exc
    limit = config.max_position_embeddings - _LIMIT_TOKENS
    if max_tokens > limit:
        raise SettingsInvalid(f"the model reads {limit} tokens, fewer than {max_tokens}", limit=limit)
    return config.hidden_size
