"""What a project's function that makes a graph is told: who calls, why, and with what."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import ensure_config
from langgraph.store.base import BaseStore

# LangGraph's server makes these two itself; the SDK has no public way to.
from langgraph_sdk.runtime import AccessContext, _ExecutionRuntime, _ReadRuntime

from runtime.context import User

CALLER = "langgraph_auth_"
"""How the keys of `configurable` begin that only a server may set."""
ProjectRuntime = _ExecutionRuntime[Any] | _ReadRuntime[Any]
"""Either side of the SDK's `ServerRuntime`."""


@dataclass(frozen=True)
class ProjectUser:
    """A user as LangGraph's projects know them: the SDK's `BaseUser` protocol."""

    identity: str
    """Unique within the tenant only."""
    display_name: str
    permissions: tuple[str, ...]
    """The user's roles, sorted."""
    tenant: str
    is_authenticated: bool = True

    @classmethod
    def of(cls, user: User) -> ProjectUser:
        return cls(user.subject, user.subject, tuple(sorted(user.roles)), user.tenant)

    def __getitem__(self, key: str) -> Any:
        return vars(self)[key]

    def __contains__(self, key: object) -> bool:
        return key in vars(self)

    def __iter__(self) -> Iterator[str]:
        return iter(vars(self))


def is_execution(access: AccessContext) -> bool:
    """True when the graph's nodes will run."""
    return access == "threads.create_run"


def runtime_for(access: AccessContext, user: User, store: BaseStore, context: Any) -> ProjectRuntime:
    """`context` is a copy and reaches only a function whose graph will run."""
    caller = ProjectUser.of(user)
    if is_execution(access):
        return _ExecutionRuntime(access_context=access, user=caller, store=store, context=copy.copy(context))
    return _ReadRuntime(access_context=access, user=caller, store=store)


def config_for(access: AccessContext, user: User, config: RunnableConfig | None) -> RunnableConfig:
    """A copy of the run's config with the keys that LangGraph's server adds for these functions.

    Without the runtime that LangGraph's server puts in as well: a graph that is bound to this config would
    take it for its own, which has other methods.
    """
    told = ensure_config(config)
    told["configurable"] |= {"__is_for_execution__": is_execution(access), **caller_keys(user)}
    return told


def caller_keys(user: User) -> dict[str, Any]:
    """What `configurable` says of the caller; LangGraph's own runtime reads it there."""
    caller = ProjectUser.of(user)
    return {
        f"{CALLER}user": caller,
        f"{CALLER}user_id": caller.identity,
        f"{CALLER}permissions": list(caller.permissions),
    }
