"""What narrows a search of the knowledge."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from runtime.days import checked_day

Value = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Values = Annotated[tuple[Value, ...], Field(max_length=100)]
Day = Annotated[str, AfterValidator(checked_day)]


class Filters(BaseModel):
    """A passage has to meet all that are given, by any of the values of each. It may come from the network.

    Values are compared as they are: nothing in them is syntax. Raises pydantic's ValidationError.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    documents: Values = ()
    """Names of documents, `price-list.xlsx`."""
    kinds: Values = ()
    """Of the words that were found: `paragraph`, `heading`, `list`, `table` or `figure`."""
    languages: Values = ()
    """`en`, `zh` or `und`."""
    tags: Values = ()
    """Those that documents were given when they were ingested."""
    since: Day | None = None
    """First day of documents' dates, `2026-05-31`."""
    until: Day | None = None
    """Last day of them, included."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.since and self.until and self.since > self.until:
            raise ValueError(f"since {self.since} is later than until {self.until}")
        return self


ANYTHING = Filters()
