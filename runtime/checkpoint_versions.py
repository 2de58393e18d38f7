"""Channel versions: a counter that sorts as text, and chance, so that no two branches write the same one."""

from __future__ import annotations

import secrets

_WIDE = 32
"""Digits of the decimal counter in versions that LangGraph's own savers made."""


def next_version(current: str | int | float | None) -> str:
    """A version above `current`, which another saver may have made."""
    if isinstance(current, str):
        counter = current.split(".")[0]
        if len(counter) == _WIDE:
            return f"{int(counter) + 1:0{_WIDE}}.{secrets.randbits(52):016}"
        count = int(counter, 16)
    else:
        count = int(current or 0)
    return f"{count + 1:08x}.{secrets.randbits(40):010x}"
