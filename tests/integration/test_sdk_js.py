"""The stock JavaScript SDK on a project of its own graphs, from Node: `tests/js` runs, this file judges."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.protocol_lines import AGENT_ASKS, AGENT_GOES_ON, QUESTION, TEAM, lines

SCRIPTS = Path(__file__).parents[1] / "js"
LIMIT_S = 120.0
"""For all cases of a script; each has a limit of its own in it."""

pytestmark = [
    pytest.mark.skipif(shutil.which("node") is None, reason="no node on PATH; install Node 20 or newer"),
    pytest.mark.skipif(
        not (SCRIPTS / "node_modules").is_dir(),
        reason="no tests/js/node_modules; run npm ci --prefix tests/js",
    ),
]

Case = Callable[[str], Any]
"""From a case's name to its result."""


def run(script: str, *args: str) -> Case:
    """Runs all cases of a script; a case that failed in Node fails where its result is asked for."""
    done = subprocess.run(
        ["node", str(SCRIPTS / script), *args], capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    said = {found["case"]: found for found in map(json.loads, done.stdout.splitlines())}

    def result(name: str) -> Any:
        assert name in said, f"node ended before the case {name!r}: {done.stderr[-2000:]}"
        assert "error" not in said[name], said[name]["error"]
        return said[name]["result"]

    return result


@pytest.fixture(scope="module", params=["sse", "websocket"])
def case(request: pytest.FixtureRequest, project_url: str) -> Case:
    return run("streams.mjs", project_url, request.param)


@pytest.fixture(scope="module")
def call(project_url: str) -> Case:
    return run("rest.mjs", project_url)


def test_the_whole_transcript(case: Case) -> None:
    """Every channel of a run, its pause and what follows, in order; no number is left out."""
    found = case("transcript")
    assert lines(found["before"]) == AGENT_ASKS
    assert lines(found["after"]) == AGENT_GOES_ON
    events = [*found["before"], *found["after"]]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert found["interrupt"]["payload"] == QUESTION
    assert found["steps"] == ["greet", "asked:yes", "close"]


def test_values(case: Case) -> None:
    """Snapshots as the steps go, the last of them with the ids that the state has."""
    found = case("values")
    assert found["snapshots"] == [[], ["a"], ["a", "b"], ["a", "b", "c"]]
    assert found["done"] == ["a", "b", "c"]
    assert found["ids"] == found["kept"]


def test_messages(case: Case) -> None:
    """Token by token, with the ids that the state has."""
    found = case("messages")
    said = ["I will ask.", "In short: Three sources on tides."]
    assert ["".join(tokens) for _, tokens in found["said"]] == said
    assert [len(tokens) for _, tokens in found["said"]] == [3, 6]
    assert [message_id for message_id, _ in found["said"]] == found["kept"]


def test_tool_calls(case: Case) -> None:
    """Name, id, input and output of a call."""
    given = {"description": "tides", "subagent_type": "researcher"}
    assert case("toolCalls") == [["task", "call-task", given, "Three sources on tides."]]


def test_subagents(case: Case) -> None:
    """Its name, its task and what it found."""
    ((name, task, output),) = case("subagents")
    assert (name, task, output["content"]) == ("researcher", "tides", "Three sources on tides.")


def test_subgraphs(case: Case) -> None:
    """A child's name, the call that caused it, and what it says in its own namespace."""
    found = case("subgraphs")
    assert (found["name"], found["graphName"]) == ("tools", "researcher")
    assert found["cause"] == {"type": "toolCall", "tool_call_id": "call-task"}
    assert found["said"] == ["Three sources on tides."]


def test_extensions(case: Case) -> None:
    """The payloads of a custom channel by its name, the last of them as its value."""
    assert case("extensions") == {"items": [{"said": 0}, {"said": 20}], "last": {"said": 20}}


def test_several_interrupts(case: Case) -> None:
    """Two answered together, a third afterwards."""
    found = case("severalInterrupts")
    assert found["asked"] == ["Which colour?", "Which size?"]
    assert found["third"] == {"given": ["colour=colour?", "size=size?"]}
    assert found["values"]["answers"] == ["colour=colour?", "size=size?", "confirm=yes"]


def test_a_socket_that_is_cut(case: Case) -> None:
    """Though its connections are cut every few events, a session has each event once, in order."""
    found = case("reconnect")
    assert found["cuts"] >= 3
    assert [event["seq"] for event in found["events"]] == list(range(1, len(found["events"]) + 1))
    said = lines(found["events"])
    assert said.count("message-finish") == 6 and said[-1] == "lifecycle completed"


def test_cancel(case: Case) -> None:
    """The stream ends with the run, and the thread is free."""
    found = case("cancel")
    assert found["last"]["params"]["data"]["event"] == "failed"
    assert (found["status"], found["thread"]) == ("interrupted", "idle")


def test_many_threads_at_once(case: Case) -> None:
    """Each has its own transcript, whole."""
    found = case("concurrent")
    assert len(found) == 6
    for topic, events in found.items():
        assert lines(events) == [said.replace("tides", topic) for said in TEAM]


def test_update_state(case: Case) -> None:
    """On a paused thread it stands for a node, and the run goes on from there."""
    assert case("updateState") == {
        "next": ["nested"],
        "interrupts": [],
        "steps": ["greet", "patched", "close"],
    }


def test_fork(case: Case) -> None:
    """A run from an earlier checkpoint keeps what came before it and says the rest again."""
    all_done = ["a", "b", "c"]
    assert case("fork") == {"done": [all_done, all_done], "sameStart": True, "sameEnd": False, "kept": True}


def test_double_texting(case: Case) -> None:
    """A run that its strategy refuses is an error, and the first is not touched."""
    found = case("multitask")
    assert isinstance(found["refusal"], str)
    assert (found["done"], found["runs"]) == (["a", "b", "c"], 1)


def test_state_commands(case: Case) -> None:
    """State, checkpoints, fork and tree by the protocol's own commands."""
    found = case("stateCommands")
    assert (found["done"], found["again"], found["newest"]) == (["a", "b"], ["a", "b"], True)
    assert found["steps"] == [[2, "loop"], [1, "loop"], [0, "loop"], [-1, "input"]]
    assert found["tree"] == ["slow", "completed"]


def test_joining(case: Case) -> None:
    """A second session has the whole of the run that is going on, event for event."""
    found = case("joining")
    # The SDK changes messages within the events of a stream that has projections.
    first, joined = ([(e["event_id"], e["seq"]) for e in found[key]] for key in ("events", "joined"))
    assert joined == first and lines(found["joined"]) == lines(found["events"])
    assert lines(found["joined"]).count("message-finish") == 3


def test_a_run_that_fails(case: Case) -> None:
    """It ends as failed, and so does its thread."""
    found = case("failing")
    assert (found["last"]["params"]["data"]["event"], found["thread"]) == ("failed", "error")


def test_threads(call: Case) -> None:
    """Made, found, counted, changed, deleted."""
    known = {"conflict": 409, "same": True, "size": 3, "found": [True], "count": 1, "gone": 404}
    assert call("threads") == known


def test_runs(call: Case) -> None:
    """Waited for, created, joined, listed; the history in pages; a copy."""
    found = call("runs")
    assert found["done"] == [["a", "b"], ["a", "b", "c"], ["a", "b", "c"]]
    assert (found["status"], found["listed"]) == ("success", 2)
    assert found["older"] == [2, 1, 0, -1]


def test_run_streams(call: Case) -> None:
    """The parts of each mode, an answer to an interrupt, an error as the last part."""
    found = call("streams")
    assert found["events"] == ["metadata", "values", "custom", "messages", "updates"]
    assert found["token"] == found["kept"]
    assert found["resumed"] == [["ask"], ["nested"], ["close"]]
    assert found["failed"] == ["metadata", "values", "values", "error"]


def test_cancel_by_rest(call: Case) -> None:
    """Once, and not again."""
    assert call("cancelled") == {"status": "interrupted", "again": 404}


def test_stateless_runs(call: Case) -> None:
    """A run without a thread gives its values."""
    assert call("stateless") == ["a"]


def test_assistants(call: Case) -> None:
    """Searched, read, drawn and described."""
    found = call("assistants")
    assert found["graph"] == "agent"
    assert set(found["nodes"]) == {"__start__", "greet", "tools", "ask", "nested", "close", "__end__"}
    assert {"graph_id", "input_schema", "output_schema", "state_schema", "config_schema"} <= set(
        found["schemas"]
    )


def test_the_store(call: Case) -> None:
    """Put, got, searched, listed, deleted."""
    assert call("store") == {"value": {"v": 1}, "found": 1, "namespaces": 1, "left": 0}
