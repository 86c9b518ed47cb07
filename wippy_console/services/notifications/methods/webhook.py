"""A signed POST of JSON. docs/notifications.md shows how a receiver checks the signature."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import SplitResult, urlsplit

from wippy_console.services.notifications.methods import guard
from wippy_console.services.notifications.methods.errors import NotSent

PATIENCE = 10.0
"""Seconds for each step on the wire."""
IN_ALL = 20.0


def why_not(url: str) -> str:
    """Why nothing may be sent there, "" when it may; the name is looked up when something is sent."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "This is no address."
    if parts.scheme not in ("https", "http") or not host:
        return "An address begins with https:// and a host."
    if parts.username or parts.password:
        return "An address carries no password; the signature shows who sends."
    if not url.isascii() or not url.isprintable() or " " in url:
        return "An address holds ASCII characters without spaces; encode others."
    if parts.scheme == "http" and not guard.is_allowed(host):
        return "Only https:// is sent to, unless WIPPY_NOTIFY_ALLOW names the host."
    return ""


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What the header `Wippy-Signature` says."""
    return "v1=" + hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def send(url: str, secret: str, notification_id: str, payload: Mapping[str, Any]) -> None:
    """POST it as `post` does."""
    post(url, secret, notification_id, json.dumps(payload, ensure_ascii=False).encode())


def post(url: str, secret: str, message_id: str, body: bytes) -> None:
    """POST JSON; any answer but 2xx is a failure. Redirects are not followed, the answer's body is not read."""
    if why := why_not(url):
        raise NotSent(why, final=True)
    timestamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Wippy-Console",
        "Wippy-Id": message_id,
        "Wippy-Timestamp": timestamp,
        "Wippy-Signature": signature(secret, timestamp, body),
        "Connection": "close",
    }
    status = _post(urlsplit(url), body, headers)
    if not 200 <= status < 300:
        raise NotSent(f"The receiver answered {status}.")


def _post(url: SplitResult, body: bytes, headers: Mapping[str, str]) -> int:
    connection = _Pinned(url)
    watch = threading.Timer(IN_ALL, connection.cut)  # a peer that sends a byte at a time passes every other limit
    watch.daemon = True
    watch.start()
    try:
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        connection.request("POST", target, body, dict(headers))
        return connection.getresponse().status
    except TimeoutError as error:
        raise NotSent(f"{url.hostname} did not answer in time.") from error
    except (OSError, http.client.HTTPException, ssl.SSLError) as error:
        raise NotSent(f"{url.hostname} does not answer: {type(error).__name__}: {error}"[:300]) from error
    finally:
        watch.cancel()
        connection.close()


class _Pinned(http.client.HTTPConnection):
    """A connection to the address that was looked at, whatever the name says a moment later."""

    def __init__(self, url: SplitResult) -> None:
        self._secure = url.scheme == "https"
        super().__init__(url.hostname or "", url.port or (443 if self._secure else 80), timeout=PATIENCE)
        if self._secure:
            self.default_port = 443  # so that the header Host does not name it

    def connect(self) -> None:
        """Resolve, check, connect, and speak TLS with the name."""
        plain = socket.create_connection((guard.resolved(self.host, self.port), self.port), PATIENCE)
        self.sock = plain
        if self._secure:
            self.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)

    def cut(self) -> None:
        """End whatever goes on."""
        with suppress(OSError, AttributeError):
            self.sock.shutdown(socket.SHUT_RDWR)
