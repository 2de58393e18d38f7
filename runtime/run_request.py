"""From what a client sends to what is recorded: one model for frames and HTTP bodies alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from runtime.assistant_record import Assistant
from runtime.errors import InvalidInput, NotSupported
from runtime.json_text import MAX_INPUT_LEVELS, is_too_deep
from runtime.project_runtime import CALLER
from runtime.run_record import Nodes, RunRequest, Strategy

_OWN_KEYS = frozenset({"thread_id", "checkpoint_id", "checkpoint_ns", "checkpoint_map", "run_id", "user_id"})
"""Of `configurable`: what this server says itself, or takes from elsewhere."""


MAX_KEY = 200
"""Characters of an idempotency key."""


class ResumeCommand(BaseModel):
    """A `Command` as the SDK sends it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    resume: Any = None
    update: Any = None
    goto: Any = None


class RunParams(BaseModel):
    """What both transports know of a run. What we do not know is ignored: clients add fields."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    assistant_id: Any = None
    input: Any = None
    command: ResumeCommand | None = None
    config: Mapping[str, Any] | None = None
    context: Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] | None = None
    checkpoint_id: str | None = None
    checkpoint: Mapping[str, Any] | None = None
    interrupt_before: Nodes | None = None
    interrupt_after: Nodes | None = None
    strategy: Strategy = Field(
        "enqueue", validation_alias=AliasChoices("multitask_strategy", "multitaskStrategy")
    )
    idempotency_key: str = Field("", max_length=MAX_KEY)
    webhook: str | None = None
    after_seconds: float | None = None

    def request(self, assistant: Assistant, *, max_message_chars: int, forget: bool = False) -> RunRequest:
        """The request to record. Raises InvalidInput and NotSupported."""
        if self.webhook or self.after_seconds:
            raise NotSupported(
                f"{'webhook' if self.webhook else 'after_seconds'} is not supported; leave it out"
            )
        config = {**assistant.config, **(self.config or {})}
        configurable = {
            **_object(assistant.config, "configurable"),
            **_object(self.config or {}, "configurable"),
        }
        payload = self._payload(max_message_chars)
        context = {**(assistant.context or {}), **(self.context or {})}
        command = self.command or ResumeCommand()
        request = RunRequest(
            payload=payload,
            graph=assistant.graph_id,
            assistant=assistant.assistant_id,
            kind="resume" if command.resume is not None else "input",
            update=command.update,
            goto=command.goto,
            checkpoint_id=self._checkpoint(configurable),
            configurable={k: v for k, v in configurable.items() if not _is_own(k)},
            context=context or None,
            metadata=_plain({**assistant.metadata, **(self.metadata or {})}),
            tags=_tags(config.get("tags")),
            recursion_limit=_recursion_limit(config.get("recursion_limit")),
            interrupt_before=self.interrupt_before or [],
            interrupt_after=self.interrupt_after or [],
            strategy=self.strategy,
            forget=forget,
        )
        _check_depth(request)
        return request

    def _payload(self, max_message_chars: int) -> Any:
        if self.command and self.command.resume is not None:
            return self.command.resume
        if self.input is not None and not isinstance(self.input, dict):
            return self.input
        check_messages((self.input or {}).get("messages"), self.input, max_message_chars)
        return self.input

    def _checkpoint(self, configurable: Mapping[str, Any]) -> str | None:
        named = (self.checkpoint or {}).get("checkpoint_id")
        chosen = self.checkpoint_id or named or configurable.get("checkpoint_id")
        if chosen is not None and not isinstance(chosen, str):
            raise InvalidInput(f"checkpoint_id must be a string, not {type(chosen).__name__}")
        return chosen or None


def _object(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = config.get(name) or {}
    if not isinstance(value, Mapping):
        raise InvalidInput(f"config.{name} must be an object, not {type(value).__name__}")
    return value


def _is_own(key: str) -> bool:
    return key in _OWN_KEYS or key.startswith(("__", CALLER))


def _tags(given: Any) -> list[str]:
    if not isinstance(given or [], list) or not all(isinstance(tag, str) for tag in given or []):
        raise InvalidInput("config.tags must be an array of strings")
    return list(given or [])


def _recursion_limit(given: Any) -> int | None:
    if given is None:
        return None
    if not isinstance(given, int) or isinstance(given, bool) or given < 1:
        raise InvalidInput(f"config.recursion_limit must be a positive number, not {given!r:.40}")
    return given


def check_messages(messages: Any, payload: Any, limit: int) -> None:
    """Raises InvalidInput for an empty message of the user's, and for one of more than `limit` characters."""
    if messages == [] and payload.keys() == {"messages"}:
        raise InvalidInput("the message is empty")
    for message in messages if isinstance(messages, list) else [messages] if messages else []:
        role, content = _role_and_content(message)
        if role in ("user", "human") and _is_empty(content):
            raise InvalidInput("the message is empty, or holds no text")
        size = len(_text(content))
        if size > limit:
            raise InvalidInput(
                f"the message has {size} characters; at most {limit} are allowed", size=size, limit=limit
            )


def _role_and_content(message: Any) -> tuple[Any, Any]:
    """LangChain takes a message as an object, as a pair of role and content, and as a text of the user's."""
    if isinstance(message, dict):
        return message.get("role") or message.get("type"), message.get("content")
    if isinstance(message, list | tuple) and len(message) == 2:
        return message[0], message[1]
    return "user", message


def _is_empty(content: Any) -> bool:
    """True without text, and without an image or the like."""
    blocks = content if isinstance(content, list) else []
    others = any(isinstance(block, dict) and block.get("type") != "text" for block in blocks)
    return not others and not _text(content).strip()


def _text(content: Any) -> str:
    """The text of a message's content: a string, or blocks of which some are text."""
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else []
    parts = [block.get("text") if isinstance(block, dict) else block for block in blocks]
    return "".join(part for part in parts if isinstance(part, str))


def _check_depth(request: RunRequest) -> None:
    parts = (request.payload, request.context, request.update, request.goto, request.configurable)
    if any(is_too_deep(part) for part in parts):
        raise InvalidInput(f"the input is nested too deep; {MAX_INPUT_LEVELS} levels are allowed")


def _plain(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What LangGraph keeps with a checkpoint."""
    return {k: v for k, v in metadata.items() if isinstance(v, str | int | float | bool)}
