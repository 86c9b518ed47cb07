"""TLS that a request asks for: authorities, a client's certificate, another name, or none of its checks."""

from __future__ import annotations

import os
import ssl
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import IO

from engine.asks.http.connections import trusting
from engine.asks.http.urls import octets
from engine.errors import UnitFailed, invalid
from engine.steps import Value

MAX_PEM = 1 << 20
KEPT = 32


@dataclass(frozen=True, slots=True)
class Tls:
    """The option `tls`."""

    cert: bytes | None = None
    key: bytes | None = None
    ca: bytes | None = None
    server_name: str = ""
    insecure: bool = False

    @classmethod
    def of(cls, value: Value) -> Tls | None:
        """Of the option; Invalid."""
        if value is None or value == []:
            return None
        if not isinstance(value, Mapping):
            raise UnitFailed(invalid("tls must be a table"))
        cert, key, ca = (_pem(value, name) for name in ("cert", "key", "ca"))
        if (cert is None) != (key is None):
            raise UnitFailed(invalid("tls: cert and key must be given together"))
        name, insecure = value.get("server_name") or "", value.get("insecure_skip_verify") or False
        if not isinstance(name, str) or not name.isascii() or "\0" in name or len(name) > 255:
            raise UnitFailed(invalid("tls: server_name must be a host name"))
        if not isinstance(insecure, bool):
            raise UnitFailed(invalid("tls: insecure_skip_verify must be a boolean"))
        return cls(cert, key, ca, name, insecure)

    def context(self) -> ssl.SSLContext:
        """For connections; Invalid when a PEM can't be read. Reads and parses, for a thread; the last ones are kept."""
        try:
            return _context(self)
        except (ssl.SSLError, ValueError, OSError) as error:
            raise UnitFailed(invalid("tls: cert, key or ca is no PEM that fits")) from error


@lru_cache(KEPT)
def _context(tls: Tls) -> ssl.SSLContext:
    context = trusting(tls.ca)
    if tls.cert and tls.key:
        _load(context, tls.cert, tls.key)
    if tls.insecure:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _pem(value: Mapping[str, Value], name: str) -> bytes | None:
    text = value.get(name)
    if text is None or text == "":
        return None
    if not isinstance(text, str | bytes) or len(text) > MAX_PEM:
        raise UnitFailed(invalid(f"tls: {name} must be PEM text of at most {MAX_PEM} bytes"))
    return octets(text)


def _load(context: ssl.SSLContext, cert: bytes, key: bytes) -> None:
    """OpenSSL reads them from a file: in memory where the system can, else one that its owner alone can read."""
    with _file() as file:
        file.write(cert.rstrip() + b"\n" + key)
        file.flush()
        path = f"/proc/self/fd/{file.fileno()}" if isinstance(file.name, int) else file.name
        # A password of the key must not be asked for at the terminal.
        context.load_cert_chain(path, password=lambda: "")


def _file() -> IO[bytes]:
    if sys.platform == "linux":
        return os.fdopen(os.memfd_create("pem", os.MFD_CLOEXEC), "wb")
    return tempfile.NamedTemporaryFile()
