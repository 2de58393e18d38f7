"""A collection's profile beside its shard."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from ingestion.vectors import Profile
from runtime.errors import KnowledgeUnavailable

_PROFILE = TypeAdapter(Profile)


def write_profile(folder: Path, profile: Profile) -> None:
    (folder / "profile.json").write_bytes(_PROFILE.dump_json(profile))


def read_profile(folder: Path) -> Profile:
    """Raises KnowledgeUnavailable where there is none that can be read."""
    try:
        return _PROFILE.validate_json((folder / "profile.json").read_bytes())
    except (OSError, ValidationError) as exc:
        raise KnowledgeUnavailable(
            f"the index in {str(folder)!r} does not say which vectors it holds;"
            " move it away and fill it again"
        ) from exc
