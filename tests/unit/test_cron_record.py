"""When crons are due."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from runtime.cron_record import next_due
from runtime.errors import InvalidInput


def at(text: str) -> float:
    """The seconds since the epoch of a time of UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def due(schedule: str, timezone: str | None, after: str) -> str:
    """The next due time of UTC."""
    found = next_due(schedule, timezone, at(after))
    assert found is not None
    return datetime.fromtimestamp(found, UTC).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("schedule", "timezone", "after", "expected"),
    [
        ("*/5 * * * *", None, "2026-01-01 00:05", "2026-01-01 00:10"),
        ("*/5 * * * *", None, "2026-01-01 00:04:59.999", "2026-01-01 00:05"),
        ("0 9 * * 1-5", "Asia/Shanghai", "2026-01-02 01:00", "2026-01-05 01:00"),
        ("@monthly", None, "2026-01-02 00:00", "2026-02-01 00:00"),
        # The clock is put forward at two: half past two is left out and comes at three.
        ("30 2 * * *", "America/New_York", "2026-03-08 00:00", "2026-03-08 07:00"),
        # The clock is put back at two: half past one comes twice.
        ("30 1 * * *", "America/New_York", "2026-11-01 05:30", "2026-11-01 06:30"),
    ],
)
def test_the_next_time_is_the_zones_own(
    schedule: str, timezone: str | None, after: str, expected: str
) -> None:
    """People mean the clock on their wall, in summer and in winter; a due time is never due again."""
    assert due(schedule, timezone, after) == expected


def test_a_date_that_never_comes_is_never_due() -> None:
    """The search for it ends."""
    assert next_due("0 0 30 2 *", None, at("2026-01-01")) is None


@pytest.mark.parametrize(
    "schedule", ["", "soon", "* * * *", "99 * * * *", "* * * * * *", "@every", "* " * 5_000]
)
def test_a_wrong_schedule_is_named(schedule: str) -> None:
    """It is refused when it is given, not when it would be due; so are seconds, which nobody could keep."""
    with pytest.raises(InvalidInput, match="is no cron schedule"):
        next_due(schedule, None, 0)


@pytest.mark.parametrize("timezone", ["Mars/Base", "America", "../etc/passwd", "/etc/passwd", "a\0b"])
def test_a_wrong_time_zone_is_named(timezone: str) -> None:
    """A zone is looked up as a file: whatever the name, it is an error of the client."""
    with pytest.raises(InvalidInput, match="is no IANA time zone"):
        next_due("* * * * *", timezone, 0)
