"""One document into the knowledge: route → parse → chunk → embed → upsert → verify."""

from __future__ import annotations

from itertools import pairwise

from langgraph.graph import END, START, StateGraph

from ingestion.report import STAGES
from nodes.ingest import Ingesting, IngestInput, goes_on, ingest_step
from runtime.context import Context


def build() -> StateGraph[Ingesting, Context, IngestInput, Ingesting]:
    """One run is one document; a document that is known already, or cannot be read, ends it early."""
    graph = StateGraph(Ingesting, Context, input_schema=IngestInput)
    for stage in STAGES:
        graph.add_node(stage, ingest_step(stage))
    graph.add_edge(START, STAGES[0])
    for stage, after in pairwise(STAGES):
        graph.add_conditional_edges(stage, goes_on, {True: after, False: END})
    graph.add_edge(STAGES[-1], END)
    return graph
