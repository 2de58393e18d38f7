"""What the protocol's operations act on: the open parts of one process."""

from __future__ import annotations

from dataclasses import dataclass

from langgraph.store.base import BaseStore

from runtime.assistants import Assistants
from runtime.catalog import Catalog
from runtime.checkpoints import RedisSaver
from runtime.commands import Commands
from runtime.crons import Crons
from runtime.events import EventLog
from runtime.hub import Hub
from runtime.runs import Runs
from runtime.thread_removal import ThreadRemoval
from runtime.thread_state import ThreadState
from runtime.threads import Threads


@dataclass(frozen=True)
class Engine:
    catalog: Catalog
    assistants: Assistants
    threads: Threads
    state: ThreadState
    removal: ThreadRemoval
    runs: Runs
    commands: Commands
    crons: Crons
    events: EventLog
    hub: Hub
    saver: RedisSaver
    store: BaseStore
