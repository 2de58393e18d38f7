"""What a run of the graph `ingest` is asked for: it may come from the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    ValidationError,
)

from runtime.days import checked_day
from runtime.errors import InvalidInput

Place = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4_096)]
Tag = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]


class Request(BaseModel):
    """The part of the run's state that its client gives."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    source: Annotated[Place, Field(min_length=1)]
    name: Name = ""
    root: Place = ""
    strategy: Mapping[str, Any] | None = None
    keep_versions: StrictBool = False
    tags: Annotated[tuple[Tag, ...], Field(max_length=50)] | None = None
    date: Annotated[str, AfterValidator(checked_day)] | None = None


def request_of(state: Mapping[str, Any]) -> Request:
    """Raises InvalidInput, which names the field and what is allowed."""
    try:
        return Request.model_validate(dict(state))
    except ValidationError as exc:
        faults = "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in exc.errors(include_input=False)
        )
        raise InvalidInput(f"what is to be ingested is not valid: {faults}") from exc
