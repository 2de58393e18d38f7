"""Frames of the protocol: commands read, responses written."""

from __future__ import annotations

from typing import Any

import orjson

from runtime.errors import AppError, InvalidInput
from runtime.events import encode_json

CommandId = int | str | None

_WIRE_CODES = {
    "invalid_input": "invalid_argument",
    "thread_busy": "unknown_error",
    "unknown_assistant": "unknown_error",
}
"""Our codes that the protocol knows by another name; it allows any string."""


def parse_frame(text: str | bytes) -> tuple[CommandId, str, dict[str, Any]]:
    """Id (a number, a string or None), method and params of a command.

    Raises InvalidInput, with the `command_id` where there is one.
    """
    try:
        frame = orjson.loads(text)
    except orjson.JSONDecodeError as exc:
        raise InvalidInput("the frame is not JSON, or is nested too deep") from exc
    if not isinstance(frame, dict):
        raise InvalidInput("the frame is not a JSON object")
    command_id, method, params = frame.get("id"), frame.get("method"), frame.get("params")
    if not isinstance(command_id, int | str | None) or isinstance(command_id, bool):
        # It would be sent back: what is nested deep could not be.
        raise InvalidInput("id must be a whole number, a string or null")
    if not isinstance(method, str):
        raise InvalidInput("the frame has no method", command_id=command_id)
    if params is not None and not isinstance(params, dict):
        raise InvalidInput("params must be an object", command_id=command_id)
    return command_id, method, params or {}


def success(command_id: CommandId, result: dict[str, Any], applied_through_seq: int) -> str:
    meta = {"applied_through_seq": applied_through_seq}
    return encode_json({"type": "success", "id": command_id, "result": result, "meta": meta})


def failure(command_id: CommandId, error: AppError) -> str:
    """The protocol's error, with our own code and the correlation id beside it."""
    return encode_json(
        {
            "type": "error",
            "id": error.details.get("command_id") if command_id is None else command_id,
            "error": _WIRE_CODES.get(error.code, error.code),
            "message": str(error),
            "code": error.code,
            "correlation_id": error.run_id,
        }
    )
