"""Checking what a client sent against a model, with an error that it can act on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from runtime.errors import InvalidInput

Model = TypeVar("Model", bound=BaseModel)


def parse_object(model: type[Model], given: Mapping[str, Any] | list[Any]) -> Model:
    """The checked object. Raises InvalidInput naming each field and what is allowed."""
    try:
        return model.model_validate(given)
    except ValidationError as exc:
        # Without the input: it may be somebody's message.
        faults = "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in exc.errors(include_input=False)
        )
        raise InvalidInput(faults) from exc
