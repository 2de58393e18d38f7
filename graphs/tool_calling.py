"""Tools: the model looks things up, quotes prices and books follow-ups, and says what came of it."""

from __future__ import annotations

from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from nodes.respond import respond
from runtime.context import Context
from tools.documents import search_documents
from tools.follow_ups import book_follow_up
from tools.prices import quote_price

TOOLS = [search_documents, quote_price, book_follow_up]
INSTRUCTIONS = """
You act for a sales rep. Use a tool whenever one fits: quote_price for every price, search_documents for every
fact, book_follow_up to book. Never state a price or a fact of your own. When something a tool needs is
missing, ask for it. After a tool's result say the outcome in a sentence or two, in the rep's language, with
the figures as the tool gave them.
"""


def build() -> StateGraph[MessagesState, Context]:
    """One run is one request; it pauses where a tool asks for approval."""
    graph = StateGraph(MessagesState, context_schema=Context)
    graph.add_node("respond", respond(INSTRUCTIONS, TOOLS))
    graph.add_node("tools", ToolNode(TOOLS))
    graph.add_edge(START, "respond")
    graph.add_conditional_edges("respond", tools_condition)
    graph.add_edge("tools", "respond")
    return graph
