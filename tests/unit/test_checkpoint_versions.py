"""Channel versions."""

from __future__ import annotations

import pytest

from runtime.checkpoint_versions import next_version


def test_versions_rise_and_never_meet() -> None:
    """LangGraph compares them as text; two branches from one version must not share their next."""
    chain = [next_version(None)]
    for _ in range(300):
        chain.append(next_version(chain[-1]))
    assert chain == sorted(chain)
    assert len({next_version(chain[7]) for _ in range(100)}) == 100


@pytest.mark.parametrize("current", [7, 7.9, f"{7:032}.0123456789012345", "00000007.0123456789"])
def test_threads_of_other_savers_go_on(current: str | int | float) -> None:
    """The next version is above theirs, in their form where that is text."""
    following = next_version(current)
    assert int(following.split(".")[0], 10) == 8
    if isinstance(current, str):
        assert following > current and following.index(".") == current.index(".")
