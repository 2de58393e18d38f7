"""Who a request comes from: an API key, or the local user where none are configured."""

from __future__ import annotations

import base64
import hmac
import ipaddress
from collections.abc import Mapping, Sequence
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, SecretStr, StringConstraints, TypeAdapter, ValidationError

from runtime.context import Role, User
from runtime.errors import PermissionDenied, SettingsInvalid, Unauthenticated

SUBPROTOCOL = "cornerman"
"""What a browser's socket names, beside `api-key.<key in base64url>`: it can set no header."""
_KEY_PROTOCOL = "api-key."
LOCAL = User("local", "you", frozenset({"rep", "evaluator", "engineer", "admin"}))
"""Whoever reaches a server without API keys, which listens on loopback only."""

Name = Annotated[str, StringConstraints(pattern=r"^[^\s/\x00{}*]{1,100}$")]
"""Part of Redis keys: no white space, no slash, no brace, no star."""


class _Grant(BaseModel):
    tenant: Name
    subject: Name
    roles: frozenset[Role] = frozenset({"rep"})


_GRANTS = TypeAdapter(dict[str, _Grant])


def read_keys(text: SecretStr | None) -> dict[str, User]:
    """Users by API key. Raises SettingsInvalid, which never quotes a key."""
    if text is None:
        return {}
    try:
        grants = _GRANTS.validate_json(text.get_secret_value())
    except ValidationError as exc:
        # The first part of a location is the key itself.
        faults = "; ".join(f"{e['loc'][1:]}: {e['msg']}" for e in exc.errors(include_input=False))
        raise SettingsInvalid(f"CORNERMAN_API_KEYS: {faults}") from None
    if not grants or not all(key.strip() for key in grants):
        raise SettingsInvalid("CORNERMAN_API_KEYS: at least one key, and none of them blank, is needed")
    return {key: User(g.tenant, g.subject, g.roles) for key, g in grants.items()}


def authenticate(headers: Mapping[str, str], cookies: Mapping[str, str], users: Mapping[str, User]) -> User:
    """By `x-api-key`, `Authorization: Bearer`, the cookie `api_key`, or a socket's sub-protocol.

    Raises Unauthenticated.
    """
    if not users:
        return LOCAL
    given = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
    given = given or cookies.get("api_key", "") or _offered(headers.get("sec-websocket-protocol", ""))
    for key, user in users.items():
        if hmac.compare_digest(key.encode(), given.encode()):
            return user
    raise Unauthenticated("the API key is missing or wrong; send it as header x-api-key")


def _offered(protocols: str) -> str:
    """The key among a socket's sub-protocols, or ''."""
    for protocol in protocols.split(","):
        if (name := protocol.strip()).startswith(_KEY_PROTOCOL):
            coded = name.removeprefix(_KEY_PROTOCOL)
            try:
                return base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode()
            except ValueError:
                return ""
    return ""


def check_origin(headers: Mapping[str, str], users: Mapping[str, User], allowed: Sequence[str] = ()) -> None:
    """Keeps other people's web pages out: a browser would carry their requests here, cookies included.

    Raises PermissionDenied for an `Origin` that is neither the `Host` nor allowed, and, while there are no
    API keys, for a `Host` that is not this machine (a name that somebody's DNS has pointed here).
    """
    host, origin = headers.get("host", ""), headers.get("origin")
    if origin and origin not in allowed and _parts(origin).netloc != host:
        raise PermissionDenied(f"requests of the origin {origin!r} are not taken")
    name = _parts(f"//{host}").hostname or ""
    if not users and not _is_local(name):
        raise PermissionDenied(f"without API keys, requests for the host {name!r} are not taken")


def _parts(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError as exc:
        raise PermissionDenied(f"{url[:100]!r} is no host") from exc


def _is_local(name: str) -> bool:
    try:
        return name in ("", "localhost") or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def check_exposure(host: str, users: Mapping[str, User]) -> None:
    """Raises SettingsInvalid where a server without API keys would listen beyond this machine."""
    if not users and not (host and _is_local(host)):
        raise SettingsInvalid(f"listening on {host!r} needs CORNERMAN_API_KEYS, or everybody would be let in")
