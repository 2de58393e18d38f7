"""What a run may use: the capabilities that nodes and tools receive from LangGraph's runtime."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from langchain_core.language_models import BaseChatModel

from runtime.errors import NotSupported
from runtime.narrowing import ANYTHING, Filters
from runtime.passage import Passage

Role = Literal["rep", "manager", "evaluator", "engineer", "admin"]


OPERATOR = "cornerman ingest"
"""The subject of runs that a command of this machine started. No API key's can be: it holds a space."""


def store_label(name: str) -> str:
    """`ana@acme%2Ecom` for `ana@acme.com`."""
    return name.replace("%", "%25").replace(".", "%2E")


@dataclass(frozen=True)
class User:
    """Who a request comes from; keys, collections and filters derive from it, not from a client's string."""

    tenant: str
    subject: str
    roles: frozenset[Role] = frozenset({"rep"})

    @property
    def store_labels(self) -> tuple[str, str]:
        """Tenant and subject as labels of a store's namespace, in which LangGraph refuses periods."""
        return store_label(self.tenant), store_label(self.subject)

    def may_see(self, owner: str) -> bool:
        """True for the owner of a thread and for the roles that read other people's threads of the tenant."""
        return owner == self.subject or bool(self.roles & {"manager", "evaluator", "admin"})


# LangChain builds a pydantic schema of every tool's arguments, its ToolRuntime[Context] included.
@runtime_checkable
class Search(Protocol):
    """The tenant's knowledge; bound to the run's user by the composition root."""

    async def __call__(self, query: str, *, limit: int = 5, filters: Filters = ANYTHING) -> list[Passage]:
        """At most `limit` passages that meet the filters, best first, each parent once; [] when none matches.

        [] does not tell an empty index from one that holds nothing on the matter. Raises KnowledgeUnavailable
        when the index cannot be reached in time.
        """
        ...


@runtime_checkable
class IngestStep(Protocol):
    """A step of an ingestion into the tenant's knowledge; bound to the run's user by the composition root."""

    async def __call__(
        self, stage: str, state: Mapping[str, Any], report: Callable[[int, int], None]
    ) -> dict[str, Any]:
        """What the step adds to the state; `report` takes what is done and what there is to do.

        Raises PermissionDenied, and errors that are retryable.
        """
        ...


@dataclass(frozen=True)
class KeptAnswer:
    """An answer of before, as the graph that gave it wants it back."""

    question: str
    made_at: str
    """ISO 8601, UTC."""
    answer: Mapping[str, Any]
    """Plain values."""


@runtime_checkable
class AnswerCache(Protocol):
    """Answers that the tenant was given before; bound to the run's user by the composition root.

    Neither method raises when the cache cannot be reached in time: it finds nothing then, and keeps nothing.
    """

    async def find(
        self, question: str, *, revision: str, under: str, same: Callable[[str], bool]
    ) -> KeptAnswer | None:
        """The answer to the most similar question that was kept with this `revision` and `under`.

        `same` decides for each question that is similar enough whether its answer would do.
        """
        ...

    async def keep(self, question: str, answer: Mapping[str, Any], *, revision: str, under: str) -> None:
        """Keeps plain values for a while. `revision` is the knowledge's, and answers of others are dropped;
        `under` names whatever else must be equal."""
        ...


async def _no_revision() -> str:
    raise NotSupported("this process cannot tell one state of the knowledge from another")


async def _no_ingest(
    stage: str, state: Mapping[str, Any], report: Callable[[int, int], None]
) -> dict[str, Any]:
    raise NotSupported(f"this process does not ingest, so it cannot {stage} {state.get('name', '')!r}")


@dataclass(frozen=True)
class Context:
    """One run's capabilities. Nodes take `Runtime[Context]`, tools `ToolRuntime[Context]`."""

    user: User
    model: Callable[[], BaseChatModel] = field(repr=False)
    """The process's chat model, with its pooled HTTP client; the same object at every call."""
    search: Search = field(repr=False)
    packs_dir: Path = Path("examples/packs")
    """Folder of the YAML packs a graph may load; `Settings.packs_dir`."""
    ingest: IngestStep = field(default=_no_ingest, repr=False)
    passage_tokens: int = 3_000
    """Tokens of passages that a graph may put before the model at once."""
    search_timeout_s: float = 10.0
    """After which a graph takes a search that has not answered for one that cannot."""
    answers: AnswerCache | None = field(default=None, repr=False)
    """None: every question is answered anew."""
    knowledge_revision: Callable[[], Awaitable[str]] = field(default=_no_revision, repr=False)
    """Another one whenever a search of the tenant may find something else than before; asked for only where
    there are `answers`. Raises KnowledgeUnavailable."""
