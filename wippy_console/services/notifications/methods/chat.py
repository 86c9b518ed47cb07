"""Chat services, through Apprise: only such as are reached by the network, and by an address that may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wippy_console.services.notifications.methods import guard
from wippy_console.services.notifications.methods.errors import NotSent

SERVICES: dict[str, str] = {
    "discord": "Discord",
    "gchat": "Google Chat",
    "slack": "Slack",
    "tgram": "Telegram",
    "wxteams": "Webex",
    "pover": "Pushover",
    "pbul": "Pushbullet",
}
"""Schemes of addresses whose host is the service's own."""

OWN_SERVERS: dict[str, str] = {
    "ntfy": "ntfy",
    "ntfys": "ntfy",
    "mmost": "Mattermost",
    "mmosts": "Mattermost",
    "rocket": "Rocket.Chat",
    "rockets": "Rocket.Chat",
    "gotify": "Gotify",
    "gotifys": "Gotify",
    "workflows": "Microsoft Teams",
}
"""Schemes whose address names the server: it is looked at as a webhook's is."""

_LONGEST = 1000
_UNREADABLE = "The address can't be read: see Apprise's page of the service."
_REFUSED = ("template", "verify", "redirect", "rto", "cto", "retry", "wait")
"""Options that read files of this machine, take less care, or more time."""
_PLAIN = ("ntfy", "mmost", "rocket", "gotify")


@dataclass(frozen=True, slots=True)
class _Read:
    """An address as Apprise reads it: another reader's differences would let options through."""

    scheme: str
    options: frozenset[str]
    service: Any

    @property
    def host(self) -> str:
        """The server that the address names, "" for the service's own; as ntfy's, where it names a topic alone."""
        if self.scheme not in OWN_SERVERS or getattr(self.service, "mode", "") == "cloud":
            return ""
        return str(getattr(self.service, "host", "") or "")


def why_not(address: str) -> str:
    """Why nothing may be sent there, "" when it may."""
    return _looked_at(address)[1]


def send(address: str, title: str, body: str) -> None:
    """Send it; NotSent where the service does not take it, or its server may not be reached."""
    read, why = _looked_at(address)
    if read is None or why:
        raise NotSent(why, final=True)
    if read.host:
        guard.resolved(read.host, int(getattr(read.service, "port", 0) or 443))
    read.service.redirects = False
    if not read.service.notify(body=body, title=title):
        raise NotSent("The chat service did not take it.")


def _looked_at(address: str) -> tuple[_Read | None, str]:
    scheme = address.partition(":")[0].lower()
    if len(address) > _LONGEST or scheme not in SERVICES | OWN_SERVERS:
        known = ", ".join(sorted(SERVICES | OWN_SERVERS))
        return None, f"This is no address of a chat service that is known here: {known}."
    read = _read(address, scheme)
    if read is None:
        return None, _UNREADABLE
    if named := [name for name in _REFUSED if name in read.options]:
        return None, f"{named[0]} can't be set here."
    if read.host and scheme in _PLAIN and not guard.is_allowed(read.host):
        return None, f"Only {scheme}s:// is sent to, unless WIPPY_NOTIFY_ALLOW names the host."
    return read, ""


def _read(address: str, scheme: str) -> _Read | None:
    import apprise  # noqa: PLC0415 # a hundred files, of use to nobody else
    from apprise.utils import parse  # noqa: PLC0415

    parsed: Any = parse.parse_url  # it has no types
    found = parsed(address, verify_host=False)
    if found is None or found["schema"] != scheme:
        return None
    options = frozenset(name.strip("+-: ") for name in found["qsd"])
    # Files that an option names are read when something is sent, not here.
    service = apprise.Apprise.instantiate(address)
    return _Read(scheme, options, service) if service is not None else None
