"""Moving documents to another collection, from a process that has not the collections open."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from anyio import to_thread
from pydantic import TypeAdapter

from ingestion.index import Put
from ingestion.moving import Difference, Held, Moving
from ingestion.points import Row, as_put, as_row
from ingestion.vectors import Profile

Ask = Callable[..., Awaitable[Any]]
"""Calls a function of the owner by its name."""

_PROFILE, _HELD, _DIFFERENCE = TypeAdapter(Profile), TypeAdapter(Held), TypeAdapter(Difference)
_MANY = TypeAdapter(list[Held])


class RemoteMoving:
    """`Moving`, answered by the owner of the index."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def prepare(self, name: str, profile: Profile) -> None:
        await self._ask("move_prepare", **_where(name, profile))

    async def difference(self, name: str, profile: Profile) -> Difference:
        return _DIFFERENCE.validate_python(await self._ask("move_difference", **_where(name, profile)))

    async def payloads(self, held: Held, first: int, count: int) -> list[dict[str, Any]]:
        asked = {"held": _json(_HELD, held), "first": first, "count": count}
        rows: list[dict[str, Any]] = await self._ask("move_payloads", **asked)
        return rows

    async def put(self, name: str, profile: Profile, held: Held, points: Sequence[Put]) -> None:
        rows = await to_thread.run_sync(lambda: [as_row(point) for point in points])
        await self._ask("move_put", **_where(name, profile), held=_json(_HELD, held), points=rows)

    async def end(self, name: str, profile: Profile, held: Held) -> None:
        await self._ask("move_end", **_where(name, profile), held=_json(_HELD, held))

    async def settle(self, name: str, profile: Profile, difference: Difference) -> None:
        await self._ask("move_settle", **_where(name, profile), difference=_json(_DIFFERENCE, difference))

    async def samples(self) -> list[Held]:
        return _MANY.validate_python(await self._ask("move_samples"))

    async def finds(self, name: str, profile: Profile, held: Held) -> bool:
        return bool(await self._ask("move_finds", **_where(name, profile), held=_json(_HELD, held)))

    async def switch(self, name: str, profile: Profile) -> bool:
        return bool(await self._ask("move_switch", **_where(name, profile)))


def moving_functions(moving: Moving) -> Mapping[str, Callable[..., Awaitable[Any]]]:
    """What the owner answers."""

    async def prepare(name: str, profile: Any) -> None:
        await moving.prepare(name, _PROFILE.validate_python(profile))

    async def difference(name: str, profile: Any) -> Any:
        return _json(_DIFFERENCE, await moving.difference(name, _PROFILE.validate_python(profile)))

    async def payloads(held: Any, first: int, count: int) -> list[dict[str, Any]]:
        return await moving.payloads(_HELD.validate_python(held), first, count)

    async def put(name: str, profile: Any, held: Any, points: list[Row]) -> None:
        made = await to_thread.run_sync(lambda: [as_put(row) for row in points])
        await moving.put(name, _PROFILE.validate_python(profile), _HELD.validate_python(held), made)

    async def end(name: str, profile: Any, held: Any) -> None:
        await moving.end(name, _PROFILE.validate_python(profile), _HELD.validate_python(held))

    async def settle(name: str, profile: Any, difference: Any) -> None:
        apart = _DIFFERENCE.validate_python(difference)
        await moving.settle(name, _PROFILE.validate_python(profile), apart)

    async def samples() -> Any:
        return _json(_MANY, await moving.samples())

    async def finds(name: str, profile: Any, held: Any) -> bool:
        return await moving.finds(name, _PROFILE.validate_python(profile), _HELD.validate_python(held))

    async def switch(name: str, profile: Any) -> bool:
        return await moving.switch(name, _PROFILE.validate_python(profile))

    every = (prepare, difference, payloads, put, end, settle, samples, finds, switch)
    return {f"move_{function.__name__}": function for function in every}


def _where(name: str, profile: Profile) -> dict[str, Any]:
    return {"name": name, "profile": _json(_PROFILE, profile)}


def _json(adapter: TypeAdapter[Any], value: Any) -> Any:
    return adapter.dump_python(value, mode="json")
