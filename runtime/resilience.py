"""A circuit breaker: what keeps failing is left alone for a while, so that callers fail fast.

Kept libraries were read first. purgatory 3.0 counts a cancelled call as a failure, and lets all callers
through at once when it half opens; pybreaker 1.4 is for threads and Tornado; aiobreaker's last release is of
2021.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from runtime.errors import AppError


class Breaker:
    """Guards calls to one thing outside. Closed, all calls pass; `failures` in a row open it.

    Open, calls are refused for `rest_s` seconds. Then it is half open: one call passes, the others are still
    refused; its success closes the breaker, its failure opens it anew. Calls that were under way when it
    opened change nothing any more.

    It knows what this process saw, and no other: each worker finds out for itself that the thing is down.
    """

    def __init__(
        self,
        name: str,
        *,
        counted: tuple[type[Exception], ...],
        error: type[AppError],
        failures: int = 5,
        rest_s: float = 30.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`counted` are the errors that count as failures; others, and being cancelled, count as nothing.

        Refused calls raise `error`, which names `name` and the seconds left.
        """
        self._name = name
        self._counted = counted
        self._error = error
        self._allowed = failures
        self._rest_s = rest_s
        self._now = now
        self._failed = 0
        self._rests_until: float | None = None
        self._trying = False

    @property
    def state(self) -> Literal["closed", "open", "half-open"]:
        if self._rests_until is None:
            return "closed"
        return "open" if self._now() < self._rests_until else "half-open"

    @contextmanager
    def call(self) -> Iterator[None]:
        """Stands around one call."""
        is_trial = self._admit()
        try:
            yield
        except self._counted:
            self._note_failure(is_trial)
            raise
        else:
            self._note_success(is_trial)
        finally:
            if is_trial:
                self._trying = False

    def _admit(self) -> bool:
        """Whether the call is the trial of a half open breaker."""
        if self._rests_until is None:
            return False
        left = self._rests_until - self._now()
        if left > 0 or self._trying:
            raise self._error(
                f"{self._name} failed {self._allowed} times in a row and is left alone",
                retry_in_s=max(left, 0),
            )
        self._trying = True
        return True

    def _note_failure(self, is_trial: bool) -> None:
        self._failed += 1
        if is_trial or (self._rests_until is None and self._failed >= self._allowed):
            self._rests_until = self._now() + self._rest_s

    def _note_success(self, is_trial: bool) -> None:
        if is_trial or self._rests_until is None:
            self._failed = 0
            self._rests_until = None
