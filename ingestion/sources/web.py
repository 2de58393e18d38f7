"""Documents from the web, fetched so that no URL and no redirect leads into the network behind us.

The guard is at the connection itself: httpcore asks its network backend for a connection to a host, ours
resolves the name once, checks every address and connects to one it checked; Host, SNI and certificate stay
those of the name. httpcore reads no proxy from the environment, which would resolve names for itself.
Libraries were read and left: drawbridge puts the address into the URL, and httpx-secure connects to an
address before it checks it and remembers the answer for ten minutes.
"""

from __future__ import annotations

import socket
import zlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

import anyio
import httpcore
import httpx
from anyio import to_thread

from ingestion.sources.address import refusal
from ingestion.sources.spool import Spool
from runtime.errors import DocumentMissing, SourceRefused, SourceUnavailable

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host, best first. Raises OSError where it has none."""

_HEADERS = [(b"User-Agent", b"cornerman"), (b"Accept", b"*/*"), (b"Accept-Encoding", b"identity")]
_REDIRECTS = (301, 302, 303, 307, 308)
_TRANSIENT = (408, 425, 429)
_ADDRESSES = 4
"""Tried, of one host: the bound of a connection is the time-out of each."""
_INFLATED_BYTES = 64 * 1024
"""At once, however little a compressed body's next piece is."""


@dataclass(frozen=True)
class WebRules:
    """What the settings allow."""

    allowed_hosts: frozenset[str] = frozenset()
    """Hosts that may have an internal address: `wiki.corp`, or `wiki.corp:9000` for that port as well."""
    ports: frozenset[int] = frozenset({80, 443, 8080, 8443})
    redirects: int = 5
    connect_s: float = 10.0
    read_s: float = 20.0
    """Between two pieces; how long a whole document may take is fetch.py's."""


def checked_url(url: str, rules: WebRules) -> httpx.URL:
    """The URL, parsed. Raises SourceRefused for another scheme or port, or a user's name in it."""
    try:
        parsed = httpx.URL(url)
        host = parsed.host
    except (httpx.InvalidURL, UnicodeError) as exc:
        raise SourceRefused(f"{url!r} is not a URL: {exc}", source=url) from exc
    if parsed.scheme not in ("http", "https") or not host:
        raise SourceRefused(f"{url!r} is not a URL of http or https", source=url)
    if parsed.userinfo:
        # Named without its password, which would stand in logs and in the index.
        where = str(parsed.copy_with(userinfo=b""))
        raise SourceRefused(f"a URL with a user's name or password is not fetched: {where!r}", source=where)
    port = _port(parsed)
    if port not in rules.ports and f"{parsed.host}:{port}" not in rules.allowed_hosts:
        ports = ", ".join(map(str, sorted(rules.ports)))
        raise SourceRefused(f"{url!r} names port {port}; allowed are {ports}", source=url, port=port)
    return parsed


def _port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


async def resolve(host: str, port: int) -> list[str]:
    """By the system's resolver."""
    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class Guard(httpcore.AsyncNetworkBackend):
    """Connects to addresses that it has checked itself, and to nothing else."""

    def __init__(
        self,
        rules: WebRules,
        resolve: Resolve = resolve,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._rules = rules
        self._resolve = resolve
        self._network = network or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Raises SourceRefused where any address of the host is one to refuse, httpcore's errors else."""
        addresses = await self._addresses(host, port, timeout)
        error: Exception = httpcore.ConnectError(f"{host!r} has no address")
        for address in addresses:
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:
                error = exc
        raise error

    async def _addresses(self, host: str, port: int, timeout_s: float | None) -> Sequence[str]:
        try:
            with anyio.fail_after(timeout_s):
                addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as exc:  # TimeoutError is an OSError; UnicodeError: of IDNA
            raise httpcore.ConnectError(f"the name {host!r} could not be resolved: {exc}") from exc
        names = {host, f"{host}:{port}"}
        allowed = not names.isdisjoint(self._rules.allowed_hosts)
        for address in addresses:
            if reason := refusal(address, allowed=allowed):
                text = f"{host!r} has the address {address}, which is {reason}: nothing is fetched from there"
                raise SourceRefused(text, host=host, address=address)
        return addresses[:_ADDRESSES]


async def download(url: str, spool: Spool, rules: WebRules, guard: Guard) -> None:
    """Writes the document at `url` to the spool.

    Raises DocumentMissing, SourceRefused, DocumentTooLarge, and SourceUnavailable where another try may help.
    """
    # 30 ms of reading certificates.
    tls = await to_thread.run_sync(httpx.create_ssl_context)
    target = checked_url(url, rules)
    try:
        async with httpcore.AsyncConnectionPool(ssl_context=tls, network_backend=guard) as pool:
            for _ in range(rules.redirects + 1):
                following = await _visit(pool, target, spool, rules)
                if following is None:
                    return
                target = checked_url(str(target.join(following)), rules)
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as exc:
        raise SourceUnavailable(
            f"{url!r} cannot be fetched: {str(exc) or type(exc).__name__}", source=url
        ) from exc
    raise SourceRefused(f"{url!r} redirects more than {rules.redirects} times", source=url)


async def _visit(
    pool: httpcore.AsyncConnectionPool, url: httpx.URL, spool: Spool, rules: WebRules
) -> str | None:
    """Where the answer redirects to; None once the document is in the spool."""
    target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    timeouts = {"connect": rules.connect_s, "read": rules.read_s, "write": rules.read_s, "pool": rules.read_s}
    async with pool.stream("GET", target, headers=_HEADERS, extensions={"timeout": timeouts}) as response:
        headers = httpx.Headers(response.headers)
        if response.status in _REDIRECTS and "location" in headers:
            return headers["location"]
        _check_status(response.status, str(url))
        await _receive(response, headers, spool, str(url))
    return None


def _check_status(status: int, url: str) -> None:
    if status == 200:
        return
    text = f"{url!r} answered with status {status}"
    if status in (404, 410):
        raise DocumentMissing(text, source=url, status=status)
    if status >= 500 or status in _TRANSIENT:
        raise SourceUnavailable(text, source=url, status=status)
    raise SourceRefused(text, source=url, status=status)


async def _receive(response: httpcore.Response, headers: httpx.Headers, spool: Spool, url: str) -> None:
    length = headers.get("content-length", "")
    if length.isdigit():
        spool.expect(int(length))
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("gzip", "x-gzip"):
        await _inflate(response, spool, url)
    elif encoding in ("identity", ""):
        async for chunk in response.aiter_stream():
            await spool.write(chunk)
    else:
        raise SourceRefused(
            f"{url!r} comes in the encoding {encoding!r}, which was not asked for", source=url
        )
    await spool.flush()


async def _inflate(response: httpcore.Response, spool: Spool, url: str) -> None:
    """Some places send gzip whatever is asked for; the spool's limit holds for what comes out."""
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    async for piece in response.aiter_stream():
        rest, full = piece, False
        while rest or full:
            try:
                inflated = inflater.decompress(rest, _INFLATED_BYTES)
            except zlib.error as exc:
                raise SourceUnavailable(f"{url!r} sent damaged gzip: {exc}", source=url) from exc
            await spool.write(inflated)
            if inflater.unused_data:
                raise SourceRefused(f"{url!r} sent more after the end of its gzip stream", source=url)
            rest, full = inflater.unconsumed_tail, len(inflated) == _INFLATED_BYTES
    if not inflater.eof:
        raise SourceUnavailable(f"{url!r} sent gzip that is cut off", source=url)
