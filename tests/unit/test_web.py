"""Which URLs are looked at, and where the guard lets connections go."""

from __future__ import annotations

from collections.abc import Iterable

import httpcore
import pytest

from ingestion.sources.web import Guard, WebRules, checked_url
from runtime.errors import SourceRefused

RULES = WebRules(allowed_hosts=frozenset({"wiki.corp", "files.corp:9000"}))


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a.pdf",
        "http://example.com:8080/a%20b.pdf?x=1#page=2",
        "HTTPS://Example.COM:8443/",
        "https://münchen.example/preise.pdf",
        "http://[2606:4700::1111]/",
        "http://files.corp:9000/a.pdf",
    ],
)
def test_urls_that_are_fetched(url: str) -> None:
    """Ordinary URLs pass, and ports that the settings name for a host."""
    assert checked_url(url, RULES).scheme in ("http", "https")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://example.com/a.pdf", "http or https"),
        ("http:///a.pdf", "http or https"),
        ("https://user:secret@example.com/", "user's name or password"),
        ("https://user@example.com/", "user's name or password"),
        ("http://example.com:22/", "port 22; allowed are 80, 443, 8080, 8443"),
        ("http://example.com:6379/", "port 6379"),
        ("http://wiki.corp:9000/", "port 9000"),
        ("http://example.com:99999/", "port 99999"),
        ("http://exa\nmple.com/", "not a URL"),
        ("http://xn--/", "not a URL"),
    ],
)
def test_urls_that_are_refused(url: str, why: str) -> None:
    """Other schemes and ports reach services that are none of the web."""
    with pytest.raises(SourceRefused, match=why):
        checked_url(url, RULES)


def test_a_refusal_hides_the_password() -> None:
    """The message goes to logs and clients."""
    with pytest.raises(SourceRefused) as raised:
        checked_url("https://user:secret@example.com/a", RULES)
    assert "secret" not in repr(raised.value) + repr(raised.value.details)


class Network(httpcore.AsyncNetworkBackend):
    """Notes where connections go, and lets none succeed."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.asked.append((host, port))
        raise httpcore.ConnectError("nobody listens")


def guarded(*answers: list[str] | OSError) -> tuple[Guard, Network]:
    """The resolver gives one answer after the other."""
    network, left = Network(), list(answers)

    async def resolve(host: str, port: int) -> list[str]:
        answer = left.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    return Guard(RULES, resolve, network), network


@pytest.mark.anyio
async def test_the_checked_address_is_connected_to() -> None:
    """Resolved once: a second answer, which may be another (DNS rebinding), is never asked for."""
    guard, network = guarded(["93.184.216.34"], ["127.0.0.1"])
    with pytest.raises(httpcore.ConnectError):
        await guard.connect_tcp("rebind.example", 443)
    assert network.asked == [("93.184.216.34", 443)]


@pytest.mark.anyio
async def test_one_bad_address_spoils_the_host() -> None:
    """A public address beside an internal one is how rebinding begins: nothing is connected to at all."""
    guard, network = guarded(["93.184.216.34", "::ffff:10.0.0.1"])
    with pytest.raises(
        SourceRefused, match=r"'rebind\.example' has the address ::ffff:10\.0\.0\.1, .*private"
    ):
        await guard.connect_tcp("rebind.example", 443)
    assert network.asked == []


@pytest.mark.anyio
async def test_internal_hosts_have_to_be_allowed() -> None:
    """By name, or by name and port; and never to reach a metadata service."""
    guard, network = guarded(["10.0.0.7"], ["10.0.0.8"], ["10.0.0.8"], ["169.254.169.254"])
    with pytest.raises(httpcore.ConnectError):
        await guard.connect_tcp("wiki.corp", 80)
    with pytest.raises(httpcore.ConnectError):
        await guard.connect_tcp("files.corp", 9000)
    with pytest.raises(SourceRefused):
        await guard.connect_tcp("files.corp", 80)
    with pytest.raises(SourceRefused):
        await guard.connect_tcp("wiki.corp", 80)
    assert network.asked == [("10.0.0.7", 80), ("10.0.0.8", 9000)]


@pytest.mark.anyio
async def test_addresses_are_tried_in_turn() -> None:
    """A host without a working IPv6 way is reached by IPv4; not more than four times is tried."""
    guard, network = guarded([f"8.8.8.{number}" for number in range(9)])
    with pytest.raises(httpcore.ConnectError):
        await guard.connect_tcp("example.com", 443)
    assert [host for host, _ in network.asked] == ["8.8.8.0", "8.8.8.1", "8.8.8.2", "8.8.8.3"]


@pytest.mark.anyio
async def test_a_name_that_nobody_knows() -> None:
    """It is the network's failure, and named."""
    guard, _ = guarded(OSError("no such name"), [])
    for _ in range(2):
        with pytest.raises(httpcore.ConnectError, match=r"gone\.example"):
            await guard.connect_tcp("gone.example", 443)
