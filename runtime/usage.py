"""What a run's models use."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata, add_usage
from langchain_core.outputs import ChatGeneration, LLMResult

UNKNOWN = "unknown"
"""The model of a message that does not name it."""


class Usage(BaseCallbackHandler):
    """Adds up the tokens that models report; LangChain's own counter leaves out models that give no name."""

    run_inline = True  # Else LangChain takes each token through a thread.

    def __init__(self) -> None:
        self.by_model: dict[str, UsageMetadata] = {}

    @property
    def tokens(self) -> int:
        """Input and output of all models together."""
        return sum(usage["total_tokens"] for usage in self.by_model.values())

    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        for generation in (one for several in response.generations for one in several):
            message = generation.message if isinstance(generation, ChatGeneration) else None
            if isinstance(message, AIMessage) and message.usage_metadata:
                model = str(message.response_metadata.get("model_name") or UNKNOWN)
                self.by_model[model] = add_usage(self.by_model.get(model), message.usage_metadata)
