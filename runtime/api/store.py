"""The routes of the store: long-term items, shared with what graphs store.

The rule: a namespace that a client names is below its tenant. The tenant's label goes before it on the way in
and off on the way out, so a client can name nothing outside. Tools store under `(tenant, subject, …)`: what
one wrote for Ana of Acme to `("acme", "ana", "notes")` is `["ana", "notes"]` here.

Within a tenant a plain user sees what is below its own subject, as with threads; the other roles see all
of the tenant's. A project's graph, which knows nothing of tenants, is given its tenant's part of the store as
if it were all (`TenantStore`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from langgraph.store.base import Item
from pydantic import Field

from runtime.api.call import MAX_PAGE, Body, Call, Reply
from runtime.context import User, store_label
from runtime.engine import Engine
from runtime.errors import InvalidInput, PermissionDenied

_Labels = list[str]
_MAX_LABELS = 32
_MAX_LABEL_CHARS = 256
_SHARING = frozenset({"manager", "evaluator", "engineer", "admin"})


class StorePut(Body):
    namespace: _Labels = Field(min_length=1)
    key: str = Field(min_length=1, max_length=1_024)
    value: dict[str, Any]
    index: Literal[False] | list[str] | None = None
    ttl: float | None = Field(None, gt=0, description="Minutes; null: for ever.")


class StoreDelete(Body):
    namespace: _Labels = Field(min_length=1)
    key: str = Field(min_length=1)


class StoreSearch(Body):
    namespace_prefix: _Labels | None = None
    filter: dict[str, Any] | None = None
    limit: int = Field(10, ge=1, le=MAX_PAGE)
    offset: int = Field(0, ge=0)
    query: str | None = None
    refresh_ttl: bool | None = None


class StoreNamespaces(Body):
    prefix: _Labels | None = None
    suffix: _Labels | None = None
    max_depth: int | None = Field(None, ge=1)
    limit: int = Field(100, ge=1, le=MAX_PAGE)
    offset: int = Field(0, ge=0)


async def put_item(engine: Engine, call: Call, body: StorePut) -> Reply:
    """Store an item, or replace it."""
    namespace = _inside(call.user, body.namespace)
    await engine.store.aput(namespace, body.key, body.value, body.index, ttl=body.ttl)
    return Reply(status=204)


async def get_item(engine: Engine, call: Call) -> Any:
    """An item by `namespace`, its labels joined by periods, and `key`; null when there is none."""
    labels, key = call.query.get("namespace", "").split("."), call.query.get("key")
    if not key:
        raise InvalidInput("key is required")
    refresh = call.flag("refresh_ttl") if "refresh_ttl" in call.query else None
    item = await engine.store.aget(_inside(call.user, labels), key, refresh_ttl=refresh)
    return None if item is None else _item_json(item)


async def delete_item(engine: Engine, call: Call, body: StoreDelete) -> Reply:
    """Delete an item."""
    await engine.store.adelete(_inside(call.user, body.namespace), body.key)
    return Reply(status=204)


async def search_items(engine: Engine, call: Call, body: StoreSearch) -> Any:
    """Items below a namespace, by a filter, or best first by a query."""
    found = await engine.store.asearch(
        _inside(call.user, body.namespace_prefix or []),
        query=body.query,
        filter=body.filter,
        limit=body.limit,
        offset=body.offset,
        refresh_ttl=body.refresh_ttl,
    )
    return {"items": [_item_json(item) for item in found]}


async def list_namespaces(engine: Engine, call: Call, body: StoreNamespaces) -> Any:
    """Namespaces that begin, or end, with these labels; `*` stands for any."""
    found = await engine.store.alist_namespaces(
        prefix=_inside(call.user, body.prefix or []),
        suffix=_checked(body.suffix) if body.suffix else None,
        max_depth=None if body.max_depth is None else body.max_depth + 1,
        limit=body.limit,
        offset=body.offset,
    )
    # A tenant whose name is `*` would be given all tenants' by the store.
    return {
        "namespaces": [list(labels[1:]) for labels in found if labels[0] == store_label(call.user.tenant)]
    }


def _inside(user: User, labels: Sequence[str]) -> tuple[str, ...]:
    """Raises PermissionDenied where a user without a role for it leaves what is its own."""
    inside = _checked([store_label(user.tenant), *labels])
    own = user.store_labels[1]
    if not user.roles & _SHARING and list(labels[:1]) != [own]:
        raise PermissionDenied(f"your part of the store begins with the label {own!r}")
    return inside


def _checked(labels: Sequence[str]) -> tuple[str, ...]:
    """Raises InvalidInput for what the store would refuse as a namespace."""
    if len(labels) > _MAX_LABELS:
        raise InvalidInput(f"a namespace of {len(labels)} labels; at most {_MAX_LABELS} are allowed")
    for label in labels:
        if not 0 < len(label) <= _MAX_LABEL_CHARS or "." in label or "\0" in label:
            raise InvalidInput(
                f"namespace label {label[:_MAX_LABEL_CHARS]!r}: 1 to {_MAX_LABEL_CHARS} characters without"
                " periods are allowed"
            )
    return tuple(labels)


def _item_json(item: Item) -> dict[str, Any]:
    row = item.dict()
    return {**row, "namespace": row["namespace"][1:]}
