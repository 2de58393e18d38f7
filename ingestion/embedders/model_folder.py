"""What folders of FlagEmbedding's models have in common, looked at without loading them."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from runtime.errors import SettingsInvalid

_PACKAGES = ("torch", "FlagEmbedding")
_LIMIT_TOKENS = 2
"""Positions begin after that of the padding, which is 1 (transformers, modeling_xlm_roberta.py)."""


def check_files(kind: str, folder: Path, files: Sequence[str], model: str) -> None:
    """Raises SettingsInvalid without the packages, or without one of the files of `model`."""
    if missing := [name for name in _PACKAGES if not find_spec(name)]:
        raise SettingsInvalid(
            f"{kind} needs {' and '.join(missing)}: install torch, then `pip install -e '.[bge]'`"
        )
    if absent := [name for name in files if not (folder / name).is_file()]:
        raise SettingsInvalid(
            f"the folder {str(folder)!r} is no {kind}, it has no {' and '.join(absent)};"
            f" put the files of {model} there"
        )


def check_length(positions: int, max_tokens: int) -> None:
    """Raises SettingsInvalid for more tokens than a model of so many positions reads."""
    limit = positions - _LIMIT_TOKENS
    if max_tokens > limit:
        raise SettingsInvalid(f"the model reads {limit} tokens, fewer than {max_tokens}", limit=limit)
