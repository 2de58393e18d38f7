"""What must be true of a run that says it has settled: its events, its record, its thread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.place import ANA, Place

_STATUS = {
    "completed": {"success"},
    "failed": {"interrupted", "error", "timeout"},
    "interrupted": {"interrupted"},
}
"""The records' status that an ending event may stand for."""


async def faults_of(
    place: Place, thread: str, run_id: str, frames: Sequence[dict[str, Any]], *, began: bool
) -> list[str]:
    """What does not hold; `began`: its end must name the thread's last checkpoint."""
    ends = terminals(frames, run_id)
    if len(ends) != 1:
        return [f"{len(ends)} ends"]
    (end,) = ends
    record = await place.runs.find(f"acme/{thread}", run_id)
    faults = []
    if record.status not in _STATUS[end["event"]]:
        faults.append(f"its end says {end['event']}, its record {record.status}")
    if end["event"] == "completed":
        return faults
    settled = end["settled"]
    if settled["status"] != record.status:
        faults.append(f"it settled as {settled['status']}, its record says {record.status}")
    if settled["partial_text"] != broken_off(frames):
        faults.append(f"partial text {settled['partial_text']!r}, but {broken_off(frames)!r} was streamed")
    if settled.get("still_working"):
        faults.append("something of it still works")
    latest = await latest_checkpoint(place, thread)
    named = (settled["checkpoint"] or {}).get("id")
    if named != latest and (began or named is not None):
        faults.append(f"it names checkpoint {named}, but the last is {latest}")
    return faults


def terminals(frames: Sequence[dict[str, Any]], run_id: str) -> list[dict[str, Any]]:
    """The data of the run's terminal events."""
    mine = [f["params"]["data"] for f in frames if f["event_id"].startswith(f"synth:{run_id}:lc||")]
    return [data for data in mine if data["event"] in _STATUS]


def broken_off(frames: Sequence[dict[str, Any]]) -> str:
    """The text of the message that a stopped run left open, without one that was lost with its worker."""
    text, broken = "", ""
    for data in (f["params"]["data"] for f in frames if f["method"] == "messages"):
        if data["event"] == "message-start":
            text = ""
        elif data["event"] == "content-block-delta":
            text += data["delta"].get("text", "")
        elif data["event"] == "error" and "lost with its worker" not in data["message"]:
            broken += text
    return broken


async def latest_checkpoint(place: Place, thread: str) -> str | None:
    row = await place.threads.get(ANA, thread)
    state = await place.engine.state.get(ANA, row)
    return state.config["configurable"].get("checkpoint_id") if state else None
