"""LangGraph's events in the wire's form and order."""

import json
from typing import Any

from langchain_core.messages import AIMessage
from langgraph.types import Interrupt

from runtime.events import Event
from runtime.wire import Translator


def core(method: str, data: Any, *namespace: str, **more: Any) -> Any:
    params = {"namespace": list(namespace), "timestamp": 1, "data": data, **more}
    return {"type": "event", "method": method, "params": params}


def token(stream: str, what: str, *namespace: str, **more: Any) -> Any:
    return core("messages", ({"event": what, **more}, {"run_id": stream}), *namespace)


def checkpoint(checkpoint_id: str, *namespace: str) -> Any:
    place = {"configurable": {"checkpoint_id": checkpoint_id}}
    data = {"config": place, "parent_config": None, "metadata": {"step": 1, "source": "loop"}, "values": {}}
    return core("checkpoints", data, *namespace)


def said(events: list[Event]) -> list[tuple[str, Any]]:
    return [(e.method, json.loads(e.body)["params"]["data"]) for e in events]


def fed(*events: Any) -> list[Event]:
    translator = Translator("run.1")
    return [e for event in events for e in translator.feed(event)] + translator.finish()


def test_a_checkpoint_goes_before_its_values() -> None:
    """JS pairs a checkpoint with the next values; core sends them the other way round."""
    events = fed(core("values", {"n": 1}), checkpoint("c1"), core("values", {"n": 2}))
    assert said(events) == [
        ("checkpoints", {"id": "c1", "step": 1, "source": "loop"}),
        ("values", {"n": 1}),
        ("values", {"n": 2}),
    ]


def test_a_checkpoint_of_another_namespace_does_not_pass_by() -> None:
    """Values of a child wait only for the child's checkpoint."""
    events = fed(core("values", {"n": 1}, "a:1"), checkpoint("c1"))
    assert [e.method for e in events] == ["values", "checkpoints"]


def test_parallel_messages_go_out_one_after_the_other() -> None:
    """Clients tell the tokens of two open messages of one namespace apart by nothing."""
    events = fed(
        token("a", "message-start", id="1"),
        token("b", "message-start", id="2"),
        token("a", "content-block-delta", n=1),
        token("b", "content-block-delta", n=2),
        token("a", "message-finish"),
        token("b", "message-finish"),
    )
    assert [d.get("id") or d.get("n") or d["event"] for _, d in said(events)] == [
        "1",
        1,
        "message-finish",
        "2",
        2,
        "message-finish",
    ]


def test_messages_of_two_namespaces_do_not_wait_for_each_other() -> None:
    """A subgraph's tokens are told apart by their namespace."""
    translator = Translator("run.1")
    translator.feed(token("a", "message-start", id="1"))
    assert translator.feed(token("b", "message-start", "child:1", id="2"))


def test_tool_output_never_becomes_tokens_of_an_answer() -> None:
    """Retrieved passages are for the model; core streams them as messages of the role `tool`."""
    assert not fed(
        token("t", "message-start", role="tool"),
        token("t", "content-block-delta"),
        token("t", "message-finish"),
    )


def test_whole_messages_that_a_node_returned_are_not_streamed_twice() -> None:
    """Their tokens went out already, or they have none."""
    assert not fed(core("messages", (AIMessage("x"), {"run_id": "a"})))


def test_a_failure_closes_the_message_that_was_open() -> None:
    """Or a client would wait for its end."""
    translator = Translator("run.1")
    translator.feed(token("a", "message-start", "child:1", id="1"))
    (event,) = translator.finish("gone")
    assert (event.namespace, said([event])) == (
        ("child:1",),
        [("messages", {"event": "error", "message": "gone"})],
    )


def test_a_childs_lifecycle_travels_in_its_own_namespace() -> None:
    """In the root's it would end the client's run."""
    (event,) = fed(core("lifecycle", {"event": "completed", "namespace": ["child:1"]}))
    assert event.namespace == ("child:1",)


def test_an_interrupt_is_asked_for_once_from_the_deepest_namespace() -> None:
    """Core repeats it at each parent level."""
    translator = Translator("run.1")
    for namespace in ((), ("child:1",), ()):
        translator.feed(core("values", {}, *namespace, interrupts=(Interrupt("sure?", id="i1"),)))
    (event,) = translator.input_requested("run")
    assert event.namespace == ("child:1",)
    assert said([event]) == [
        ("input.requested", {"interrupt_id": "i1", "payload": "sure?", "value": "sure?"})
    ]


def test_the_useless_update_of_an_interrupt_is_left_out() -> None:
    """Nothing was updated."""
    assert not fed(core("updates", {"__interrupt__": ()}))


def test_custom_data_travels_verbatim_and_by_name() -> None:
    """A hint is a dict with a name; what is no dict is wrapped; a channel's name is kept."""
    events = fed(core("custom", {"name": "hint", "n": 1}), core("custom", "bare"), core("custom:score", 7))
    assert said(events) == [
        ("custom", {"name": "hint", "n": 1}),
        ("custom", {"payload": "bare"}),
        ("custom", {"name": "score", "payload": 7}),
    ]
    assert [e.name for e in events] == ["hint", "", "score"]


def test_every_event_has_an_id_of_its_own() -> None:
    """Both SDKs drop what they have seen by it."""
    ids = [
        json.loads(e.body)["event_id"] for e in fed(core("values", {}), core("values", {}), core("custom", 1))
    ]
    assert ids == ["run.1.1", "run.1.2", "run.1.3"]
