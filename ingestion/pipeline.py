"""How one document comes into the index: by steps, each of which bears to be done again by any process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anyio import to_thread

from ingestion.report import Report
from ingestion.steps import Means, Steps
from runtime.errors import DocumentError, InvalidInput

_NOTHING_YET: Mapping[str, Any] = {
    "code": "",
    "reason": "",
    "bytes": 0,
    "pages": None,
    "chunks": 0,
    "tokens": 0,
    "reading": {},
    "notes": [],
    "hidden": 0,
    "moved_from": "",
    "namesakes": [],
}
"""A document's runs share a thread, whose state still holds what an earlier one has found."""


@dataclass(frozen=True)
class Pipeline:
    """What a process ingests with. Opened by `ingestion.opening.open_pipeline`."""

    means: Means

    async def step(
        self,
        tenant: str,
        stage: str,
        state: Mapping[str, Any],
        report: Report,
        *,
        roots: Sequence[Path] | None,
    ) -> dict[str, Any]:
        """Does one step of the document's run and returns what it adds to the state.

        `status` is `working` until the last step makes it `ingested`; `unchanged` and `refused` (with `code`
        and `reason`) end the run early. `roots`: folders that a local source has to be in; None: any. Raises
        InvalidInput, and errors that are `retryable`; what searches see is then as it was.
        """
        steps = Steps(self.means, tenant, state, report, roots)
        stages: Mapping[str, Callable[[], Awaitable[dict[str, Any]]]] = {
            "route": steps.route,
            "parse": steps.parse,
            "chunk": steps.chunk,
            "embed": steps.embed,
            "upsert": steps.upsert,
            "verify": steps.verify,
        }
        if stage not in stages:
            raise InvalidInput(f"there is no stage {stage!r}; known are {', '.join(stages)}")
        begun = _NOTHING_YET if stage == "route" else {}
        try:
            return {**begun, **await stages[stage]()}
        except DocumentError as exc:
            if exc.retryable:
                raise
            await to_thread.run_sync(steps.give_up)
            return {**begun, "status": "refused", "code": exc.code, "reason": str(exc)}
