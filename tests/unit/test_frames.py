"""Frames of the protocol."""

import json

import pytest

from runtime.errors import InvalidInput, NoSuchInterrupt, ThreadBusy
from runtime.frames import failure, parse_frame, success


@pytest.mark.parametrize(
    "frame", ["", "nonsense", "[]", '"run.start"', "{}", '{"method": 3}', '{"method":"x","params":[]}']
)
def test_a_malformed_frame_is_refused(frame: str) -> None:
    """The socket answers it and lives on."""
    with pytest.raises(InvalidInput):
        parse_frame(frame)


def test_unknown_keys_are_let_through() -> None:
    """SDKs add fields from one version to the next."""
    assert parse_frame('{"id":4,"method":"m","extra":1}') == (4, "m", {})


def test_a_success_carries_the_sequence() -> None:
    """Python opens its next stream from it."""
    frame = json.loads(success(2, {"run_id": "r"}, 17))
    assert frame == {
        "type": "success",
        "id": 2,
        "result": {"run_id": "r"},
        "meta": {"applied_through_seq": 17},
    }


def test_a_failure_speaks_the_protocols_codes_and_ours() -> None:
    """Clients know `invalid_argument`; our own code and the correlation id stand beside it."""
    frame = json.loads(failure(3, InvalidInput("too long")))
    assert (frame["error"], frame["code"], frame["message"]) == (
        "invalid_argument",
        "invalid_input",
        "too long",
    )
    assert "correlation_id" in frame
    assert json.loads(failure(3, NoSuchInterrupt()))["error"] == "no_such_interrupt"
    assert json.loads(failure(3, ThreadBusy()))["error"] == "unknown_error"


@pytest.mark.parametrize("frame", ['{"id":7}', '{"id":7,"method":"x","params":[]}'])
def test_a_bad_command_is_answered_under_its_id(frame: str) -> None:
    """The JS client matches by id, and would wait for ever."""
    with pytest.raises(InvalidInput) as caught:
        parse_frame(frame)
    assert json.loads(failure(None, caught.value))["id"] == 7


@pytest.mark.parametrize(
    "given", ["[" * 300 + "]" * 300, "{}", "1.5", "true", "123456789012345678901234567890"]
)
def test_an_odd_id_is_refused(given: str) -> None:
    """It would be sent back, and what is nested deep cannot be: the socket would die of it."""
    with pytest.raises(InvalidInput, match="id must be") as caught:
        parse_frame('{"method":"x","id":' + given + "}")
    assert json.loads(failure(None, caught.value))["id"] is None


@pytest.mark.parametrize(("given", "command_id"), [("7", 7), ('"a"', "a"), ("null", None)])
def test_ids_that_clients_use(given: str, command_id: object) -> None:
    """JSON-RPC's three kinds."""
    assert parse_frame('{"method":"x","id":' + given + "}")[0] == command_id
