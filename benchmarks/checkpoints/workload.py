"""A chat, and the calls that LangGraph makes of a saver when it is held."""

from __future__ import annotations

import random
from typing import Any, NamedTuple

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
)
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph

CHECKPOINTS_A_TURN = 3
"""Input, the question in the history, the answer in the history."""
MESSAGES_A_TURN = 2
_WORDS_A_MESSAGE = 84
"""About 500 bytes of text. With the names of its fields a message takes some 730, serialized."""
_LETTERS = "etaoinshrdlucmfw"
_VOCABULARY = ["".join(random.Random(n).choices(_LETTERS, k=2 + n % 8)) for n in range(800)]
"""Words of a size that let a compressing store find about what it finds in English."""


class Put(NamedTuple):
    config: RunnableConfig
    checkpoint: Checkpoint
    metadata: CheckpointMetadata
    new_versions: ChannelVersions


class Writes(NamedTuple):
    config: RunnableConfig
    writes: list[tuple[str, Any]]
    task_id: str
    task_path: str


Turn = list[Put | Writes]


def chat(saver: BaseCheckpointSaver[str]) -> CompiledStateGraph[Any, Any, Any, Any]:
    """One node that answers."""
    graph = StateGraph(MessagesState)
    graph.add_node("reply", reply)
    graph.add_edge(START, "reply")
    return graph.compile(checkpointer=saver)


async def reply(state: MessagesState) -> dict[str, Any]:
    return {"messages": [AIMessage(text(len(state["messages"])))]}


async def say(graph: CompiledStateGraph[Any, Any, Any, Any], thread: str, turn: int) -> None:
    """One turn, stored before it ends."""
    config: RunnableConfig = {"configurable": {"thread_id": thread}}
    question = {"role": "user", "content": text(turn * MESSAGES_A_TURN)}
    await graph.ainvoke({"messages": [question]}, config, durability="sync")


def text(number: int) -> str:
    """The words of a message: always the same, and unlike those of any other."""
    return " ".join(random.Random(number).choices(_VOCABULARY, k=_WORDS_A_MESSAGE))


async def record(saver: BaseCheckpointSaver[str], turns: int) -> list[Turn]:
    """What LangGraph calls, turn by turn, with channel versions as this saver makes them."""
    recorder = _Recorder(saver)
    graph = chat(recorder)
    for turn in range(turns):
        recorder.turns.append([])
        await say(graph, "recorded", turn)
    return recorder.turns


def at(thread: str, config: RunnableConfig) -> RunnableConfig:
    """A recorded config, for another thread."""
    return {**config, "configurable": {**config["configurable"], "thread_id": thread}}


class _Recorder(BaseCheckpointSaver[str]):
    """Notes all calls and remembers the newest checkpoint, as it is."""

    def __init__(self, other: BaseCheckpointSaver[str]) -> None:
        super().__init__()
        self.turns: list[Turn] = []
        self._other = other
        self._newest: CheckpointTuple | None = None

    def get_next_version(self, current: str | None, channel: None) -> str:
        return self._other.get_next_version(current, channel)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        return self._newest

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        self.turns[-1].append(Put(_stored(config), checkpoint, metadata, new_versions))
        place = {"thread_id": "recorded", "checkpoint_ns": "", "checkpoint_id": checkpoint["id"]}
        self._newest = CheckpointTuple({"configurable": place}, checkpoint, metadata, config, [])
        return {"configurable": place}

    async def aput_writes(
        self, config: RunnableConfig, writes: Any, task_id: str, task_path: str = ""
    ) -> None:
        self.turns[-1].append(Writes(_stored(config), list(writes), task_id, task_path))


def _stored(config: RunnableConfig) -> RunnableConfig:
    """The parts that savers read; the rest is LangGraph's own machinery."""
    place = {key: value for key, value in config["configurable"].items() if not key.startswith("__")}
    return {"configurable": place, "metadata": dict(config.get("metadata") or {})}
