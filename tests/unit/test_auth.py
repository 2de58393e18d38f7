"""Who a request comes from."""

import pytest
from pydantic import SecretStr

from runtime.auth import LOCAL, authenticate, check_exposure, check_origin, read_keys
from runtime.context import User
from runtime.errors import PermissionDenied, SettingsInvalid, Unauthenticated

KEYS = SecretStr(
    '{"k1": {"tenant": "acme", "subject": "ana", "roles": ["rep"]}, "k2": {"tenant": "b", "subject": "bo"}}'
)
USERS = read_keys(KEYS)


@pytest.mark.parametrize(
    ("headers", "cookies"),
    [
        ({"x-api-key": "k1"}, {}),
        ({"authorization": "Bearer k1"}, {}),
        ({}, {"api_key": "k1"}),
        ({"sec-websocket-protocol": "cornerman, api-key.azE"}, {}),
    ],
)
def test_a_key_names_its_user(headers: dict[str, str], cookies: dict[str, str]) -> None:
    """By header, bearer token, cookie or sub-protocol: a browser's socket can send no header."""
    assert authenticate(headers, cookies, USERS) == User("acme", "ana", frozenset({"rep"}))


@pytest.mark.parametrize("given", ["", "k", "k11", "K1", "é"])
def test_a_wrong_key_is_nobody(given: str) -> None:
    """Neither a prefix nor another case gets in, nor a key that is not ASCII past the comparison."""
    with pytest.raises(Unauthenticated):
        authenticate({"x-api-key": given}, {}, USERS)


@pytest.mark.parametrize("protocols", ["api-key.", "api-key.!!", "api-key._w", "cornerman", "api-key.a2"])
def test_a_sub_protocol_that_holds_no_key_is_nobody(protocols: str) -> None:
    """Whatever a client puts there is no fault of ours."""
    with pytest.raises(Unauthenticated):
        authenticate({"sec-websocket-protocol": protocols}, {}, USERS)


@pytest.mark.parametrize("headers", [{"host": "["}, {"host": "x", "origin": "http://["}])
def test_a_host_that_is_none_is_refused(headers: dict[str, str]) -> None:
    """And not a fault of the server's."""
    with pytest.raises(PermissionDenied):
        check_origin(headers, {})


def test_a_page_that_is_allowed_may_come_in() -> None:
    """The rep's page may be served from elsewhere."""
    headers = {"host": "127.0.0.1:8123", "origin": "https://page.example"}
    check_origin(headers, {}, ["https://page.example"])
    with pytest.raises(PermissionDenied):
        check_origin(headers, {}, ["https://other.example"])


def test_without_keys_everybody_here_is_the_local_user() -> None:
    """The first run needs no set-up."""
    assert authenticate({"x-api-key": "anything"}, {}, {}) == LOCAL


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "::", "example.org"])
def test_without_keys_the_server_stays_on_loopback(host: str) -> None:
    """Nobody exposes an open server by a setting alone."""
    with pytest.raises(SettingsInvalid, match="CORNERMAN_API_KEYS"):
        check_exposure(host, {})
    check_exposure(host, USERS)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.9.9.9"])
def test_loopback_needs_no_keys(host: str) -> None:
    """All loopback addresses count."""
    check_exposure(host, {})


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "[]",
        '{"  ": {"tenant": "a", "subject": "x"}}',
        '{"sekret": {"tenant": "a/b", "subject": "x"}}',
        '{"sekret": {"tenant": "a"}}',
        '{"sekret": {"tenant": "a", "subject": "x", "roles": ["king"]}}',
    ],
)
def test_bad_keys_are_named_without_being_shown(text: str) -> None:
    """The message may end up in a log."""
    with pytest.raises(SettingsInvalid, match="CORNERMAN_API_KEYS") as caught:
        read_keys(SecretStr(text))
    assert "sekret" not in str(caught.value) and "nonsense" not in str(caught.value)


def test_only_some_roles_see_other_peoples_threads() -> None:
    """A rep sees its own practice; a manager or evaluator the team's."""
    assert User("t", "ana", frozenset({"rep"})).may_see("ana")
    assert not User("t", "ana", frozenset({"rep", "engineer"})).may_see("bo")
    for role in ("manager", "evaluator", "admin"):
        assert User("t", "ana", frozenset({role})).may_see("bo")
