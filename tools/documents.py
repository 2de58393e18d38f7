"""Search the playbook on the model's behalf."""

from __future__ import annotations

from langchain_core.tools import tool
from langgraph.prebuilt import ToolRuntime

from runtime.context import Context
from runtime.errors import KnowledgeUnavailable

UNAVAILABLE = "The knowledge cannot be reached right now. Say so, and do not answer from memory."
NOTHING = "Nothing was found. Say that the documents do not hold it."


@tool
async def search_documents(query: str, runtime: ToolRuntime[Context]) -> str:
    """Search the playbook, price list, product sheet and battlecards.

    Returns numbered passages with their source; cite them as [1].
    """
    try:
        passages = await runtime.context.search(query, limit=5)
    except KnowledgeUnavailable:
        return UNAVAILABLE
    if not passages:
        return NOTHING
    return "\n\n".join(f"[{n}] {p.locator}\n{p.text}" for n, p in enumerate(passages, 1))
