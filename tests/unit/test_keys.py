"""Keys of a thread."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import InvalidInput
from runtime.keys import check_thread_id, split_thread_key, tagged, thread_key

PARTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@given(PARTS.filter(lambda t: "/" not in t), PARTS)
def test_a_key_gives_back_tenant_and_thread(tenant: str, thread: str) -> None:
    """A tenant's thread is never taken for another's."""
    assert split_thread_key(thread_key(tenant, thread)) == (tenant, thread)


@given(PARTS, PARTS)
def test_two_threads_never_share_a_redis_key(one: str, other: str) -> None:
    """Braces and percent signs in an id cannot forge another id's key."""
    assert (tagged(one, "c") == tagged(other, "c")) == (one == other)


@given(PARTS)
def test_the_hash_tag_is_the_whole_id(thread: str) -> None:
    """All keys of a thread lie in one cluster slot: one pair of braces, around the id."""
    key = tagged(thread, "events")
    assert key.startswith("{") and key.endswith("}:events")
    assert key.count("{") == key.count("}") == 1


@pytest.mark.parametrize("bad", ["", "a/b", "a b", "x" * 129, "{x}", "é", None, 7])
def test_a_bad_thread_id_is_named(bad: object) -> None:
    """A client's id reaches no key before it was checked."""
    with pytest.raises(InvalidInput, match="1 to 128 letters"):
        check_thread_id(bad)


def test_the_sdks_ids_are_good() -> None:
    """Python mints uuid4, JS uuid7; people write names."""
    for good in ("4d4cb136-9c1e-4b43-a1f3-2f1f2a1a2b3c", "demo-1", "a.b_c:d@e"):
        assert check_thread_id(good) == good
