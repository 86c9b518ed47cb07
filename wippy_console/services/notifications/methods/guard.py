"""Where the console may send to: no address of this machine or its network, unless WIPPY_NOTIFY_ALLOW names it.

Whoever may set an address of their own must not reach what only the server can.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator

from django.conf import settings

from wippy_console.services.notifications.methods.errors import NotSent

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def resolved(host: str, port: int) -> str:
    """The address to connect to, looked up once, so that no second look-up finds another; NotSent where none may be."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotSent(f"{host} can't be found: {error}") from error
    addresses = [ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found]
    refused = [address for address in addresses if not (is_public(address) or is_allowed(host, address))]
    if refused or not addresses:
        raise NotSent(f"{host} is within the console's own network; WIPPY_NOTIFY_ALLOW does not name it.", final=True)
    return str(addresses[0])


def is_public(address: Address) -> bool:
    """Whether it belongs to the internet at large, with what it may carry within."""
    return all(each.is_global and not each.is_multicast for each in _meant(address))


def is_allowed(host: str, address: Address | None = None) -> bool:
    """Whether the setting names the host, or a network that the address is in."""
    return any(
        allowed.lower() == host.lower() or (address is not None and _within(address, allowed))
        for allowed in settings.NOTIFY_ALLOW
    )


def _within(address: Address, network: str) -> bool:
    try:
        return address in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _meant(address: Address) -> Iterator[Address]:
    yield address
    if isinstance(address, ipaddress.IPv6Address):
        carried = address.ipv4_mapped or address.sixtofour
        if carried is None and address in _NAT64:
            carried = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if carried is not None:
            yield carried
