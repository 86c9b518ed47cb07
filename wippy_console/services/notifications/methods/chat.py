"""Chat services, through Apprise: only such as are reached by the network, and by an address that may be."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from wippy_console.services.notifications.methods import guard
from wippy_console.services.notifications.methods.errors import NotSent

SERVICES: dict[str, str] = {
    "discord": "Discord",
    "gchat": "Google Chat",
    "msteams": "Microsoft Teams",
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
    "workflows": "Microsoft Teams (Workflows)",
}
"""Schemes whose address names the server: it is looked at as a webhook's is."""

_LONGEST = 1000
_UNREADABLE = "The address can't be read: see Apprise's page of the service."
_REFUSED = ("template", "verify", "redirect", "rto", "cto", "retry", "wait")
"""Options that read files of this machine, take less care, or more time."""
_PLAIN = ("ntfy", "mmost", "rocket", "gotify")


def why_not(address: str) -> str:
    """Why nothing may be sent there, "" when it may."""
    try:
        parts = urlsplit(address[: _LONGEST + 1])
        options = [name.lower().strip("+-: ") for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    except ValueError:
        return _UNREADABLE
    scheme = parts.scheme.lower()
    if len(address) > _LONGEST or scheme not in SERVICES | OWN_SERVERS:
        return f"This is no address of a chat service that is known here: {', '.join(sorted(SERVICES | OWN_SERVERS))}."
    if named := [name for name in _REFUSED if name in options]:
        return f"{named[0]} can't be set here."
    service = _service(address)
    if service is None:
        return _UNREADABLE
    host = _own_host(scheme, service)
    if host and scheme in _PLAIN and not guard.is_allowed(host):
        return f"Only {scheme}s:// is sent to, unless WIPPY_NOTIFY_ALLOW names the host."
    return ""


def send(address: str, title: str, body: str) -> None:
    """Send it; NotSent where the service does not take it, or its server may not be reached."""
    if why := why_not(address):
        raise NotSent(why, final=True)
    service = _service(address)
    if host := _own_host(urlsplit(address).scheme.lower(), service):
        guard.resolved(host, int(getattr(service, "port", 0) or 443))
    service.redirects = False
    if not service.notify(body=body, title=title):
        raise NotSent("The chat service did not take it.")


def _own_host(scheme: str, service: Any) -> str:
    """The server that the address names; ntfy's own, where it names a topic alone, is public."""
    if scheme not in OWN_SERVERS or getattr(service, "mode", "") == "cloud":
        return ""
    return str(getattr(service, "host", "") or "")


def _service(address: str) -> Any:
    import apprise  # noqa: PLC0415 # a hundred files, of use to nobody else

    return apprise.Apprise.instantiate(address)
