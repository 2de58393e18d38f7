"""The measurements: bytes stored, times of single operations, turns a second."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Sequence
from time import perf_counter

import anyio
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver

from benchmarks.checkpoints.figures import LONG, SHORT, Round, Step, spread
from benchmarks.checkpoints.peers import Store
from benchmarks.checkpoints.workload import (
    CHECKPOINTS_A_TURN,
    MESSAGES_A_TURN,
    Put,
    Turn,
    at,
    chat,
    say,
)

_SHORT_FROM, _LONG_FROM = 5, 150
"""The turn after which times count."""
_SHORT_THREADS = 10
_GETS, _LISTS = 100, 5
_THREADS, _TURNS_A_THREAD = 50, 10

Samples = defaultdict[Step, list[float]]
"""Milliseconds."""


class WrongAnswer(Exception):
    """A saver gave back something else than was stored, so that its times mean nothing."""


async def stored_bytes(
    store: Store, turns: Sequence[Turn], sizes: Sequence[int], budget_s: float
) -> dict[int, int]:
    """Bytes after each of `sizes` turns that is reached in time, and after the last one reached."""
    if store.size is None:
        return {}
    found, spent = {}, 0.0
    for number, turn in enumerate(turns, 1):
        began = perf_counter()
        await _play(store.saver, "bytes", turn)
        spent += perf_counter() - began
        is_last = spent > budget_s or number == len(turns)
        if number in sizes or is_last:
            found[number] = await store.size()
        if is_last:
            break
    return found


async def measure_round(store: Store, turns: Sequence[Turn]) -> Round:
    """One round on a store that is empty."""
    samples: Samples = defaultdict(list)
    gc.collect()
    for n in range(_SHORT_THREADS):
        await _hold(store.saver, f"short-{n}", turns[:SHORT], _SHORT_FROM, samples)
        await _get(store.saver, f"short-{n}", SHORT, _GETS // _SHORT_THREADS, samples)
        await _list(store.saver, f"short-{n}", SHORT, _LISTS, samples)
    await _hold(store.saver, "long", turns[:LONG], _LONG_FROM, samples)
    await _get(store.saver, "long", LONG, _GETS, samples)
    await _list(store.saver, "long", LONG, _LISTS, samples)
    gc.collect()
    return Round({key: spread(ms) for key, ms in samples.items()}, await _turns_per_s(store.saver))


async def _hold(
    saver: BaseCheckpointSaver[str], thread: str, turns: Sequence[Turn], after: int, samples: Samples
) -> None:
    for number, turn in enumerate(turns):
        times = await _play(saver, thread, turn)
        if number >= after:
            for step, ms in times:
                samples[step, len(turns)].append(ms)
            samples["turn", len(turns)].append(sum(ms for _, ms in times))


async def _play(saver: BaseCheckpointSaver[str], thread: str, turn: Turn) -> list[tuple[str, float]]:
    """What each call took, in milliseconds."""
    times = []
    for call in turn:
        config = at(thread, call.config)
        began = perf_counter()
        if isinstance(call, Put):
            await saver.aput(config, call.checkpoint, call.metadata, call.new_versions)
        else:
            await saver.aput_writes(config, call.writes, call.task_id, call.task_path)
        step = "put" if isinstance(call, Put) else "put_writes"
        times.append((step, (perf_counter() - began) * 1e3))
    return times


async def _get(
    saver: BaseCheckpointSaver[str], thread: str, turns: int, times: int, samples: Samples
) -> None:
    for _ in range(times):
        began = perf_counter()
        found = await saver.aget_tuple(_newest(thread))
        samples["get", turns].append((perf_counter() - began) * 1e3)
        if found is None or len(found.checkpoint["channel_values"]["messages"]) != turns * MESSAGES_A_TURN:
            raise WrongAnswer(f"{type(saver).__name__} did not return the {turns} turns of {thread!r}")


async def _list(
    saver: BaseCheckpointSaver[str], thread: str, turns: int, times: int, samples: Samples
) -> None:
    for _ in range(times):
        began = perf_counter()
        found = [item async for item in saver.alist(_newest(thread))]
        samples["list", turns].append((perf_counter() - began) * 1e3)
        held = [len(item.checkpoint["channel_values"].get("messages", ())) for item in found]
        if len(held) != turns * CHECKPOINTS_A_TURN or held[0] != turns * MESSAGES_A_TURN or held[-1] != 0:
            raise WrongAnswer(f"{type(saver).__name__} listed {len(held)} checkpoints")


async def _turns_per_s(saver: BaseCheckpointSaver[str]) -> float:
    graph = chat(saver)

    async def hold(thread: str) -> None:
        for turn in range(_TURNS_A_THREAD):
            await say(graph, thread, turn)

    began = perf_counter()
    async with anyio.create_task_group() as tasks:
        for n in range(_THREADS):
            tasks.start_soon(hold, f"many-{n}")
    return _THREADS * _TURNS_A_THREAD / (perf_counter() - began)


def _newest(thread: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread, "checkpoint_ns": ""}}
