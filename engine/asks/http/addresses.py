"""Which addresses Lua code may reach (docs/lua.md#http_client): public ones, and those that `WIPPY_HTTP_ALLOW` names.

What is asked is the address that will be connected to, never a name: names may mean something else a moment later.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
UNIX = "unix:"

# Ours, not those of `ipaddress`: what it takes for public differs between versions of Python.
_PRIVATE = tuple(
    map(
        IPv4Network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16"),
            *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
            *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"),
        ),
    )
)
_GLOBAL = IPv6Network("2000::/3")
_NOT_GLOBAL = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE = IPv6Network("::/96")
_NEVER_BY_NAME = (
    IPv4Network("169.254.0.0/16"),
    IPv4Network("168.63.129.16/32"),
    IPv4Network("100.100.100.200/32"),
    IPv4Network("192.0.0.192/32"),
    IPv6Network("fe80::/10"),
    IPv6Network("fd00:ec2::/32"),
)


def read_address(text: str) -> Address | None:
    """The address of a text; None when it is a name."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def is_private(address: Address) -> bool:
    """Whether it is not everybody's: private, link-local, metadata, multicast, reserved, or stands for such."""
    return any(_is_private(each) for each in meanings(address))


def meanings(address: Address) -> list[Address]:
    """The address, and those of IPv4 that it stands for: mapped, compatible, NAT64, 6to4, Teredo."""
    if isinstance(address, IPv4Address):
        return [address]
    found: list[Address | None] = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if any(address in network for network in _NAT64) or (address in _COMPATIBLE and int(address) > 1):
        found.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return [address, *(each for each in found if each is not None)]


def _is_private(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return any(address in network for network in _PRIVATE)
    if address.ipv4_mapped or address in _NAT64[0]:
        return False  # what it stands for is asked
    return address not in _GLOBAL or any(address in network for network in _NOT_GLOBAL)


@dataclass(frozen=True, slots=True)
class Rule:
    """A part of `WIPPY_HTTP_ALLOW`; `port` 0 means any."""

    network: Network | None
    name: str
    port: int

    def covers(self, host: str, address: Address, port: int) -> bool:
        """Whether it lets a host be reached at an address. A name covers no link-local or metadata address."""
        if self.port not in (0, port):
            return False
        if self.network is not None:
            return any(each in self.network for each in meanings(address) if each.version == self.network.version)
        return host.lower().rstrip(".") == self.name and not _is_never_by_name(address)


def _is_never_by_name(address: Address) -> bool:
    return any(each in net for each in meanings(address) for net in _NEVER_BY_NAME if net.version == each.version)


class Allowed:
    """What beside public addresses may be reached: `name[:port]`, `address[:port]`, `network`, `unix:/path`."""

    def __init__(self, parts: Iterable[str] = ()) -> None:
        """Raises ValueError that names the part which can't be read."""
        texts = [part.strip() for part in parts if part.strip()]
        self._sockets = frozenset(text.removeprefix(UNIX) for text in texts if text.startswith(UNIX))
        self._rules = tuple(read_rule(text) for text in texts if not text.startswith(UNIX))

    def covers(self, host: str, address: Address, port: int) -> bool:
        """Whether a host may be reached at an address."""
        return not is_private(address) or any(rule.covers(host, address, port) for rule in self._rules)

    def covers_socket(self, path: str) -> bool:
        """Whether a Unix socket may be connected to."""
        return path in self._sockets


def read_rule(text: str) -> Rule:
    """The rule of a text; ValueError."""
    try:
        return Rule(ip_network(text.strip("[]"), strict=False), "", 0)
    except ValueError:
        pass
    host, port = _host_and_port(text)
    address = read_address(host.strip("[]"))
    if address is not None:
        return Rule(ip_network(address), "", port)
    if not host or any(letter in host for letter in "/:*@[] "):
        raise ValueError(f"'{text}' is no host, host:port, address or network")
    return Rule(None, host.lower().rstrip("."), port)


def _host_and_port(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon:
        return text, 0
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"'{text}' is no host, host:port, address or network")
    return host, int(port)
