"""Documents fetched from real sockets and stores: bounded, checked, hashed, and given back."""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import anyio
import anyio.lowlevel
import fsspec
import httpcore
import pytest
from anyio.abc import SocketStream

from ingestion.budget import ByteBudget
from ingestion.limits import Limits
from ingestion.sources.fetch import Fetched, Remote, fetched
from ingestion.sources.locate import locate
from ingestion.sources.source import Source
from ingestion.sources.web import Guard, WebRules
from runtime.errors import DocumentMissing, DocumentTooLarge, SourceRefused, SourceUnavailable
from tests.site import Site, always, reply, serving

pytestmark = pytest.mark.anyio
LIMITS = Limits(bytes=100_000)
BODY = os.urandom(30_000)


@pytest.fixture
def budget() -> Iterator[ByteBudget]:
    """Nothing may be held once a test is over."""
    budget = ByteBudget(1_000_000)
    yield budget
    assert (budget.held_bytes, budget.active_buffers, budget.waiting, budget.leak_count) == (0, 0, 0, 0)


async def get(site: Site, budget: ByteBudget, source: Source | None = None, **changes: object) -> Fetched:
    """What is fetched, looked at while it stands."""
    remote = replace(site.remote, **changes)  # type: ignore[arg-type]
    async with fetched(source or site.source(), LIMITS, budget, remote) as found:
        assert found.path.stat().st_size == found.size
        assert hashlib.sha256(found.path.read_bytes()).hexdigest() == found.sha256
        assert budget.held_bytes == found.size
    assert not found.path.parent.exists()
    return found


async def test_a_document_of_the_web(budget: ByteBudget) -> None:
    """It arrives whole and hashed in a file that keeps the suffix, and is gone afterwards."""
    async with serving(always(reply("200 OK", BODY))) as site:
        found = await get(site, budget)
        assert found.size == len(BODY)
        assert found.sha256 == hashlib.sha256(BODY).hexdigest()
        assert found.path.suffix == ".pdf"
        assert f"host: 127.0.0.1:{site.port}" in site.asked[0].lower()
        assert "accept-encoding: identity" in site.asked[0].lower()


async def test_loopback_is_refused_unless_allowed(budget: ByteBudget) -> None:
    """The same server without the setting is not even connected to, by whatever name."""
    async with serving(always(reply("200 OK", BODY))) as site:
        rules = WebRules(ports=frozenset({site.port}))
        for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "0"):
            source = Source(f"http://{host}:{site.port}/", root="", name="a.pdf")
            with pytest.raises(SourceRefused, match=r"loopback|unspecified"):
                await get(site, budget, source, web=rules)
        assert site.asked == []


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("http://169.254.169.254/latest/meta-data/", "169.254.169.254, which is link-local"),
        ("http://[::ffff:169.254.169.254]/", "link-local"),
        ("http://100.100.100.200/latest/", "cloud metadata"),
        ("http://10.0.0.1/", "private"),
        ("//127.0.0.1/other-port", "loopback"),
        ("http://127.0.0.1:6379/", "port 6379"),
        ("file:///etc/passwd", "http or https"),
        ("http://user:pass@example.com/", "password"),
    ],
)
async def test_redirects_are_checked_anew(budget: ByteBudget, location: str, why: str) -> None:
    """A harmless URL must not lead where one could not go directly."""
    async with serving(always(reply("302 Found", location=location))) as site:
        with pytest.raises(SourceRefused, match=why):
            await get(site, budget)
        assert len(site.asked) == 1


async def test_redirects_are_followed_and_bounded(budget: ByteBudget) -> None:
    """Five are; a sixth is a loop."""

    async def answer(stream: SocketStream, path: str) -> None:
        left = int(path.strip("/"))
        await stream.send(
            reply("307 Temporary Redirect", location=f"/{left - 1}") if left else reply("200 OK", BODY)
        )

    async with serving(answer) as site:
        assert (await get(site, budget, site.source("/5"))).size == len(BODY)
        with pytest.raises(SourceRefused, match="redirects more than 5 times"):
            await get(site, budget, site.source("/6"))
        assert len(site.asked) == 12


async def test_rebinding_between_check_and_connection(budget: ByteBudget) -> None:
    """A name that turns to loopback after the check: the connection goes to the address that was checked."""
    answers = [["93.184.216.34"], ["127.0.0.1"]]
    connected: list[str] = []

    class Network(httpcore.AnyIOBackend):
        async def connect_tcp(
            self, host: str, *args: object, **options: object
        ) -> httpcore.AsyncNetworkStream:
            connected.append(host)
            raise httpcore.ConnectError("nobody is there")

    async def resolve(host: str, port: int) -> list[str]:
        return answers.pop(0)

    async with serving(always(reply("200 OK", BODY))) as site:
        rules = WebRules(ports=frozenset({site.port}))
        source = Source(f"http://rebind.example:{site.port}/", root="", name="a.pdf")
        with pytest.raises(SourceUnavailable, match="nobody is there"):
            await get(site, budget, source, web=rules, guard=Guard(rules, resolve, Network()), pauses_s=())
        # Asked again, for another try, it says loopback: refused before a connection is made.
        with pytest.raises(SourceRefused, match="loopback"):
            await get(site, budget, source, web=rules, guard=Guard(rules, resolve, Network()), pauses_s=())
        assert connected == ["93.184.216.34"]
        assert site.asked == []


async def test_the_name_stays_in_the_request(budget: ByteBudget) -> None:
    """Connecting to an address must not change the Host that the server sees."""

    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    async with serving(always(reply("200 OK", BODY))) as site:
        rules = WebRules(allowed_hosts=frozenset({f"wiki.corp:{site.port}"}))
        source = Source(f"http://wiki.corp:{site.port}/a.pdf?x=%20", root="", name="a.pdf")
        await get(site, budget, source, web=rules, guard=Guard(rules, resolve))
        assert site.asked[0].startswith("GET /a.pdf?x=%20 HTTP/1.1\r\n")
        assert f"host: wiki.corp:{site.port}\r\n" in site.asked[0].lower()


async def test_an_announced_size_is_believed_where_it_is_too_large(budget: ByteBudget) -> None:
    """Nothing of it is downloaded."""
    async with serving(always(reply("200 OK", content_length="100001"))) as site:
        with pytest.raises(
            DocumentTooLarge, match=r"'a\.pdf' has 100,001 bytes, more than the 100,000 allowed"
        ):
            await get(site, budget)
        with pytest.raises(DocumentTooLarge):
            await get(site, budget, site.source(size=100_001))
        assert len(site.asked) == 1


async def test_an_endless_body(budget: ByteBudget) -> None:
    """Chunks without end are cut at the limit, not at the end of the disk."""
    sent = 0

    async def answer(stream: SocketStream, path: str) -> None:
        nonlocal sent
        await stream.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            await stream.send(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
            sent += 0x4000

    async with serving(answer) as site:
        with pytest.raises(DocumentTooLarge, match="more than the 100,000 bytes allowed"):
            await get(site, budget)
    assert sent < 20_000_000


async def test_gzip_that_nobody_asked_for(budget: ByteBudget) -> None:
    """Some servers send nothing else: it is unpacked, and the limit holds for what comes out."""

    async def answer(stream: SocketStream, path: str) -> None:
        plain = {"/bomb": bytes(50_000_000), "/even": bytes(65_536), "/a": BODY}.get(path, BODY)
        packed = gzip.compress(plain)
        body = {"/cut": packed[:-9], "/more": packed + b"more", "/bad": b"no gzip at all"}.get(path, packed)
        await stream.send(reply("200 OK", body, content_encoding="br" if path == "/brotli" else "gzip"))

    async with serving(answer) as site:
        assert (await get(site, budget, site.source("/a"))).sha256 == hashlib.sha256(BODY).hexdigest()
        assert (await get(site, budget, site.source("/even"))).size == 65_536
        for path, error, why in [
            ("/bomb", DocumentTooLarge, "100,000 bytes allowed"),
            ("/cut", SourceUnavailable, "cut off"),
            ("/bad", SourceUnavailable, "damaged gzip"),
            ("/more", SourceRefused, "after the end"),
            ("/brotli", SourceRefused, "'br'"),
        ]:
            with pytest.raises(error, match=why):
                await get(site, budget, site.source(path))


async def test_a_body_that_never_comes(budget: ByteBudget) -> None:
    """A server that stops is tried again, and then given up."""

    async def answer(stream: SocketStream, path: str) -> None:
        await stream.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this")
        await anyio.sleep_forever()

    async with serving(answer) as site:
        rules = replace(site.remote.web, read_s=0.05)
        with pytest.raises(SourceUnavailable, match="ReadTimeout"):
            await get(site, budget, web=rules)
        assert len(site.asked) == 3


async def test_a_body_that_drips(budget: ByteBudget) -> None:
    """Each byte comes in time, the document never: the time of all together is bounded."""

    async def answer(stream: SocketStream, path: str) -> None:
        await stream.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
        while True:
            await stream.send(b"x")
            await anyio.sleep(0.01)

    async with serving(answer) as site:
        with pytest.raises(SourceUnavailable, match=r"took longer than 0\.3 s"):
            await get(site, budget, total_s=0.3)


@pytest.mark.parametrize(
    ("status", "error", "tries"),
    [
        ("404 Not Found", DocumentMissing, 1),
        ("410 Gone", DocumentMissing, 1),
        ("403 Forbidden", SourceRefused, 1),
        ("204 No Content", SourceRefused, 1),
        ("206 Partial Content", SourceRefused, 1),
        ("429 Too Many Requests", SourceUnavailable, 3),
        ("503 Service Unavailable", SourceUnavailable, 3),
    ],
)
async def test_other_answers(budget: ByteBudget, status: str, error: type[Exception], tries: int) -> None:
    """What may pass is tried three times, what will not pass once."""
    async with serving(always(reply(status))) as site:
        with pytest.raises(error, match=status[:3]):
            await get(site, budget)
        assert len(site.asked) == tries


async def test_a_try_that_failed_leaves_nothing(budget: ByteBudget) -> None:
    """The bytes of a broken download are not in the file of the next one, nor in its hash."""
    broken = reply("200 OK", BODY)[:-5000]
    answers = [broken, reply("500 Internal Server Error"), reply("200 OK", BODY)]

    async def answer(stream: SocketStream, path: str) -> None:
        await stream.send(answers.pop(0))

    async with serving(answer) as site:
        assert (await get(site, budget)).sha256 == hashlib.sha256(BODY).hexdigest()


async def test_noise_instead_of_http(budget: ByteBudget) -> None:
    """A port that speaks something else is an unavailable source, not a crash."""
    async with serving(always(b"-ERR unknown command 'GET'\r\n" * 10)) as site:
        with pytest.raises(SourceUnavailable, match="cannot be fetched"):
            await get(site, budget)


async def test_a_name_that_nobody_knows(budget: ByteBudget) -> None:
    """The resolver's failure is the source's, and names the host."""

    async def resolve(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    remote = Remote(guard=Guard(WebRules(), resolve), pauses_s=())
    with pytest.raises(SourceUnavailable, match=r"'gone\.example' could not be resolved"):
        async with fetched(Source("https://gone.example/", "", "x"), LIMITS, budget, remote):
            raise AssertionError("nothing was fetched")


async def test_no_proxy_of_the_environment(budget: ByteBudget, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy resolves names itself, past the guard."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with serving(always(reply("200 OK", BODY))) as site:
        assert (await get(site, budget)).size == len(BODY)


async def test_cancelled_in_the_middle(
    budget: ByteBudget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cancelled run leaves no temporary file and holds nothing of the budget."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    arrived = anyio.Event()

    async def answer(stream: SocketStream, path: str) -> None:
        await stream.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this")
        arrived.set()
        await anyio.sleep_forever()

    async with serving(answer) as site, anyio.create_task_group() as group:
        group.start_soon(get, site, budget)
        await arrived.wait()
        assert budget.active_buffers == 1
        group.cancel_scope.cancel()
    assert list(tmp_path.iterdir()) == []


async def test_a_document_of_a_store(budget: ByteBudget) -> None:
    """Any store of fsspec is copied under the same bounds as the web."""
    files = fsspec.filesystem("memory")
    files.pipe({"/fetch/a.pdf": BODY, "/fetch/big.pdf": bytes(100_001)})
    known = Source("memory:///fetch/a.pdf", "", "a.pdf", size=len(BODY))
    for source in (known, replace(known, size=None)):
        async with fetched(source, LIMITS, budget) as found:
            assert found.path.read_bytes() == BODY
            assert found.sha256 == hashlib.sha256(BODY).hexdigest()
            assert budget.held_bytes == len(BODY)
        assert not found.path.exists()
    for uri, size, error in [
        ("memory:///fetch/big.pdf", None, DocumentTooLarge),
        ("memory:///fetch/big.pdf", 5, DocumentTooLarge),
        ("memory:///fetch/nothing.pdf", None, DocumentMissing),
    ]:
        with pytest.raises(error):
            async with fetched(Source(uri, "", "x.pdf", size=size), LIMITS, budget, Remote(pauses_s=())):
                raise AssertionError("nothing was fetched")


async def test_a_local_document(budget: ByteBudget, tmp_path: Path) -> None:
    """It is read where it stands, and stays there."""
    (tmp_path / "a b%.pdf").write_bytes(BODY)
    (source,) = await locate([tmp_path])
    async with fetched(source, LIMITS, budget) as found:
        assert found == Fetched(source.path or Path(), hashlib.sha256(BODY).hexdigest(), len(BODY))
        assert budget.held_bytes == len(BODY)
    assert found.path.read_bytes() == BODY


async def test_a_local_document_that_is_no_more_what_it_was(budget: ByteBudget, tmp_path: Path) -> None:
    """What changed since it was located is judged anew: a link, a pipe, a larger file, nothing at all."""
    file = tmp_path / "a.pdf"
    file.write_bytes(BODY)
    (source,) = await locate([file])

    async def refused(error: type[Exception]) -> None:
        with pytest.raises(error):
            async with fetched(source, LIMITS, budget):
                raise AssertionError("it was read")

    file.unlink()
    await refused(DocumentMissing)
    file.symlink_to("/etc/passwd")
    await refused(SourceRefused)
    file.unlink()
    os.mkfifo(file)
    await refused(SourceRefused)
    file.unlink()
    file.write_bytes(bytes(100_001))
    await refused(DocumentTooLarge)


async def test_a_local_document_that_changes_while_it_is_read(budget: ByteBudget, tmp_path: Path) -> None:
    """Its chunks would stand under the hash of another content: said at the end, once, and retryable."""
    file = tmp_path / "a.pdf"
    file.write_bytes(BODY)
    (source,) = await locate([file])
    with pytest.raises(SourceUnavailable, match=r"'a\.pdf' was changed while it was read"):
        async with fetched(source, LIMITS, budget):
            file.write_bytes(BODY + b"more")
    with pytest.raises(ZeroDivisionError):
        async with fetched(source, LIMITS, budget):
            file.write_bytes(BODY)
            raise ZeroDivisionError


async def test_documents_wait_for_the_budget(budget: ByteBudget, tmp_path: Path) -> None:
    """Fifty documents at once never hold more than the budget has."""
    most = 0
    for number in range(50):
        (tmp_path / f"{number}.pdf").write_bytes(bytes(90_000))

    async def read(source: Source) -> None:
        nonlocal most
        async with fetched(source, LIMITS, budget):
            most = max(most, budget.held_bytes)
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as group:
        for source in await locate([tmp_path]):
            group.start_soon(read, source)
    assert 90_000 <= most <= 990_000
