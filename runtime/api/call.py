"""What an HTTP operation gets and gives, and how its JSON body is checked."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, get_type_hints

import orjson
from pydantic import BaseModel, ConfigDict, RootModel
from starlette.datastructures import QueryParams

from runtime.context import User
from runtime.engine import Engine
from runtime.errors import AppError, InvalidInput
from runtime.events import encode_json
from runtime.validation import parse_object

MAX_PAGE = 1_000


@dataclass(frozen=True)
class Call:
    """One request, authenticated."""

    user: User
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def number(self, name: str, default: int, least: int = 0, most: int = MAX_PAGE) -> int:
        """A number of the query. Raises InvalidInput that names it and its limits."""
        given = self.query.get(name)
        try:
            number = default if given is None else int(given)
        except ValueError as exc:
            raise InvalidInput(f"{name} must be a number, not {given!r}") from exc
        if not least <= number <= most:
            raise InvalidInput(f"{name} must be from {least} to {most}, not {number}")
        return number

    def several(self, name: str) -> list[str]:
        """All values of a parameter that may be repeated."""
        if isinstance(self.query, QueryParams):
            return self.query.getlist(name)
        return [self.query[name]] if name in self.query else []

    def flag(self, name: str) -> bool:
        """True for `?name=1` and `?name=true`."""
        return self.query.get(name, "").lower() in ("1", "true", "yes")


class Body(BaseModel):
    """A JSON body. What we do not know is ignored: clients add fields from release to release."""

    model_config = ConfigDict(extra="ignore", frozen=True)


@dataclass(frozen=True)
class Reply:
    """An answer that is not simply a value with 200. `value` None: no body."""

    value: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Write = Callable[[str], Awaitable[None]]


@dataclass(frozen=True)
class EventStream:
    """An answer that is written as it comes to be, its headers at once."""

    run: Callable[[Write], Awaitable[None]]
    """Writes the pieces until there are no more; cancelled when the client goes."""
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "text/event-stream"

    def last_words(self, error: AppError) -> str:
        """What the client is told when the stream fails on its way."""
        told = encode_json({"error": error.code, "message": str(error)})
        return f"event: error\ndata: {told}\n\n" if "event" in self.media_type else f'{{"__error__":{told}}}'


@dataclass(frozen=True)
class Operation:
    """A route and the function that answers it: `(engine, call)` or `(engine, call, body)`.

    The function returns a JSON value, a Reply or an EventStream; its docstring's first line is the route's
    summary in the OpenAPI description.
    """

    method: str
    path: str
    function: Callable[..., Awaitable[Any]]
    public: bool = False
    """Answered without a key."""

    @cached_property
    def body(self) -> type[BaseModel] | None:
        """The model of the JSON body, where there is one: the type of the function's third parameter."""
        names = list(inspect.signature(self.function).parameters)
        return get_type_hints(self.function)[names[2]] if len(names) > 2 else None

    async def answer(self, engine: Engine, call: Call, raw: bytes) -> Any:
        """Raises InvalidInput for a body that does not fit, and what the function raises."""
        model = self.body
        if model is None:
            return await self.function(engine, call)
        return await self.function(engine, call, parse_body(model, raw))


def parse_body(model: type[BaseModel], raw: bytes) -> BaseModel:
    """The checked body; an empty one counts as `{}`. Raises InvalidInput naming each field and its limit."""
    try:
        given = orjson.loads(raw or b"{}")
    except orjson.JSONDecodeError as exc:
        raise InvalidInput("Invalid JSON body") from exc
    if not isinstance(given, list if issubclass(model, RootModel) else dict):
        raise InvalidInput(f"the body must be a JSON {'array' if issubclass(model, RootModel) else 'object'}")
    return parse_object(model, given)
