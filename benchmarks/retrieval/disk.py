"""What a folder takes on disk."""

from __future__ import annotations

from pathlib import Path

_BLOCK = 512
"""Bytes of a unit of `st_blocks` (stat(2)); files of the engine are larger than what they hold."""


def megabytes(folder: Path) -> float:
    """Of 10**6 bytes, as allocated."""
    return sum(path.stat().st_blocks * _BLOCK for path in folder.rglob("*") if path.is_file()) / 1e6
