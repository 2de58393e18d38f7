"""Follow-ups: booked only after the rep has approved them."""

from __future__ import annotations

from typing import Annotated, Any

from langchain_core.tools import tool
from langgraph.prebuilt import ToolRuntime
from langgraph.types import interrupt
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from runtime.context import Context, User

FOLLOW_UPS = "follow_ups"
_YES = frozenset(
    {
        "yes",
        "y",
        "ok",
        "okay",
        "approve",
        "approved",
        "true",
        "sure",
        "好",
        "好的",
        "可以",
        "是",
        "是的",
        "同意",
        "批准",
        "行",
    }
)
_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class FollowUp(BaseModel):
    """What is booked; the words are the rep's."""

    model_config = ConfigDict(extra="forbid")
    with_whom: _Text
    when: _Text
    about: _Text


class Decision(BaseModel):
    """The answer to the question for approval."""

    model_config = ConfigDict(extra="ignore")
    approved: bool
    edit: dict[str, Any] | None = Field(None, description="Fields of the follow-up to change.")


def namespace(user: User) -> tuple[str, ...]:
    """Where a user's follow-ups are stored."""
    return (*user.store_labels, FOLLOW_UPS)


@tool
async def book_follow_up(with_whom: _Text, when: _Text, about: _Text, runtime: ToolRuntime[Context]) -> str:
    """Book a follow-up with a buyer. The user is asked to approve it first.

    `when` is the day and time in the user's own words. Returns what was booked, or that it was declined.
    """
    planned = FollowUp(with_whom=with_whom, when=when, about=about)
    answer = interrupt(
        {
            "kind": "approval",
            "tool": "book_follow_up",
            "question": f"Book a follow-up with {planned.with_whom}, {planned.when}, about {planned.about}?",
            "args": planned.model_dump(),
        }
    )
    decision = read_decision(answer)
    if not decision.approved:
        return "Declined: the user does not want this follow-up, so nothing was booked."
    try:
        booked = FollowUp.model_validate({**planned.model_dump(), **(decision.edit or {})})
    except ValidationError as exc:
        return f"Nothing was booked, the user's change is not valid: {exc.errors()[0]['msg']}."
    if runtime.store is None:
        return "Nothing was booked: no store is configured."
    # The call's id is in the key, so a resumed run that comes here again books it once.
    key = f"{runtime.config['configurable']['thread_id']}:{runtime.tool_call_id}"
    await runtime.store.aput(namespace(runtime.context.user), key, booked.model_dump())
    return f"Booked: {booked.with_whom}, {booked.when}, about {booked.about}."


def read_decision(answer: Any) -> Decision:
    """The decision in a bool, a yes or no in words, or `{"approved": bool, "edit": {…}}`; else a no."""
    if isinstance(answer, bool):
        return Decision(approved=answer)
    if isinstance(answer, str):
        return Decision(approved=answer.strip().lower().rstrip(".!。！") in _YES)
    try:
        return Decision.model_validate(answer)
    except ValidationError:
        return Decision(approved=False)
