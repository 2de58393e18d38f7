"""A tenant's part of the store, for graphs that know nothing of tenants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from langgraph.store.base import (
    BaseStore,
    GetOp,
    Item,
    ListNamespacesOp,
    MatchCondition,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
)

from runtime.context import store_label


class TenantStore(BaseStore):
    """What a graph names `("memories", …)` is `(tenant, "memories", …)` in the store, and back."""

    def __init__(self, store: BaseStore, tenant: str) -> None:
        self._store = store
        self._tenant = store_label(tenant)
        self.supports_ttl = store.supports_ttl
        self.ttl_config = store.ttl_config

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        return [self._outside(result) for result in self._store.batch([self._inside(op) for op in ops])]

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        results = await self._store.abatch([self._inside(op) for op in ops])
        return [self._outside(result) for result in results]

    def _inside(self, op: Op) -> Op:
        if isinstance(op, GetOp | PutOp):
            return cast(Op, op._replace(namespace=(self._tenant, *op.namespace)))
        if isinstance(op, SearchOp):
            return op._replace(namespace_prefix=(self._tenant, *op.namespace_prefix))
        return self._listing(op)

    def _listing(self, op: ListNamespacesOp) -> ListNamespacesOp:
        given = op.match_conditions or ()
        prefixes = [c for c in given if c.match_type == "prefix"] or [MatchCondition("prefix", ())]
        below = [MatchCondition("prefix", (self._tenant, *c.path)) for c in prefixes]
        others = [c for c in given if c.match_type != "prefix"]
        depth = None if op.max_depth is None else op.max_depth + 1
        return op._replace(match_conditions=(*below, *others), max_depth=depth)

    def _outside(self, result: Result) -> Result:
        if isinstance(result, Item):
            return _below(result)
        if isinstance(result, list):
            return cast(Result, [_below(one) if isinstance(one, Item) else one[1:] for one in _each(result)])
        return result


def _each(results: Sequence[Any]) -> Sequence[Any]:
    return [one for one in results if isinstance(one, Item) or len(one) > 1]


def _below(item: Item) -> Item:
    """The item without its tenant."""
    fields: dict[str, Any] = {
        "value": item.value,
        "key": item.key,
        "namespace": item.namespace[1:],
        "created_at": item.created_at,
        "updated_at": item.updated_at,
    }
    return SearchItem(**fields, score=item.score) if isinstance(item, SearchItem) else Item(**fields)
