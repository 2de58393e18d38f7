"""Which internet addresses a document may come from: public ones, and none that reach inside.

The ranges are those of IANA's special-purpose address registries (RFC 6890), multicast, and the metadata
services of clouds, some of which stand at public addresses.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

_INTERNAL = ("private", "loopback", "carrier-grade NAT")
"""What an allowed host may have."""

# The first match names the reason, so the single addresses stand before the ranges around them.
_REFUSED: list[tuple[IPv4Network | IPv6Network, str]] = [
    (ip_network(network), reason)
    for network, reason in [
        ("168.63.129.16/32", "cloud metadata"),  # Azure, at a public address
        ("100.100.100.200/32", "cloud metadata"),  # Alibaba
        ("192.0.0.192/32", "cloud metadata"),  # Oracle
        ("fd00:ec2::254/128", "cloud metadata"),  # AWS
        ("fd20:ce::254/128", "cloud metadata"),  # Google
        ("0.0.0.0/8", "unspecified"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "carrier-grade NAT"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "reserved"),
        ("192.88.99.0/24", "reserved"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "reserved"),
        ("198.51.100.0/24", "reserved"),
        ("203.0.113.0/24", "reserved"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("ff00::/8", "multicast"),
        ("2001::/32", "Teredo"),
        ("2001::/23", "reserved"),
        ("2001:db8::/32", "reserved"),
        ("2002::/16", "6to4"),
        ("3fff::/20", "reserved"),
    ]
]
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_EMBEDDING = [IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96")]
"""IPv4-mapped, and NAT64's well-known prefix (RFC 6052), by which an IPv6-only network sees all of IPv4."""


def refusal(address: str, *, allowed: bool = False) -> str | None:
    """Why nothing is fetched from this address, None where it may be.

    `allowed`: the settings name the host, so that it may be an internal one; link-local addresses, where
    metadata services stand, stay refused. Raises ValueError for what is no address.
    """
    reason = _reason(_unwrapped(ip_address(address)))
    return None if allowed and reason in _INTERNAL else reason


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if any(address in network for network in _EMBEDDING):
        return IPv4Address(address.packed[-4:])
    return address


def _reason(address: IPv4Address | IPv6Address) -> str | None:
    for network, reason in _REFUSED:
        if address in network:
            return reason
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return "reserved"
    return None
