"""Days as people write them."""

from __future__ import annotations

from datetime import date


def checked_day(text: str) -> str:
    """`2026-05-31` as it is; raises ValueError for anything else, other spellings of a day included."""
    try:
        if date.fromisoformat(text).isoformat() == text:
            return text
    except ValueError:
        pass
    raise ValueError(f"{text!r} is no day; write it as 2026-05-31")
