"""How to ask an endpoint by hand: a line for a shell, in which the secret is a variable."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

from engine.registry.hooks.auth import Basic, Hmac, Token
from engine.registry.hooks.route import ANY, WITH_BODY, Route

_PARAM = re.compile(r"\{([A-Za-z0-9_]+)(?:\.\.\.)?\}")
_NO_NAME = re.compile(r"[^A-Za-z0-9_]")


def line(route: Route, base: str) -> str:
    """The line. What a sender fills in stands in capitals: parameters of the path, values of the body."""
    method = "POST" if route.method == ANY else route.method
    url = base.rstrip("/") + _PARAM.sub(lambda found: found[1].upper(), route.address)
    body = json.dumps(_sample(route)) if method in WITH_BODY else ""
    is_signed = isinstance(route.auth, Hmac)
    asks = "curl -I" if method == "HEAD" else f"curl -X {method}"
    parts = [f"{asks} {shlex.quote(url)}", *_proof(route)]
    if route.id_header:
        parts.append(f"-H '{route.id_header}: ID'")
    if body:
        sent = '"$body"' if is_signed else shlex.quote(body)
        parts += ["-H 'Content-Type: application/json'", f"-d {sent}"]
    before = [f"body={shlex.quote(body)}"] if is_signed else []
    if isinstance(route.auth, Hmac) and route.auth.timestamp_header:
        before.append("time=$(date +%s)")
    return "\n".join((*before, " \\\n  ".join(parts)))


def _proof(route: Route) -> Iterator[str]:
    name = _NO_NAME.sub("_", route.auth.secret_env.rpartition(":")[2])
    secret = f'"${name}"'
    match route.auth:
        case Token(header="authorization"):
            yield f'-H "Authorization: Bearer ${name}"'
        case Token(header=header):
            yield f'-H "{header}: ${name}"'
        case Basic(username=username):
            yield f"-u {shlex.quote(f'{username}:')}{secret}"
        case Hmac() as wanted:
            yield from _signature(wanted, secret)


def _signature(wanted: Hmac, secret: str) -> Iterator[str]:
    signed = 'printf %s.%s "$time" "$body"' if wanted.timestamp_header else 'printf %s "$body"'
    shown = "-r | cut -d ' ' -f 1" if wanted.encoding == "hex" else "-binary | openssl base64 -A"
    signature = f"$({signed} | openssl dgst -{wanted.algorithm} -hmac {secret} {shown})"
    prefix = re.sub(r'(["$`\\])', r"\\\1", wanted.prefix)
    if wanted.timestamp_header == wanted.header:
        yield f'-H "{wanted.header}: t=$time,{prefix}{signature}"'
        return
    yield f'-H "{wanted.header}: {prefix}{signature}"'
    if wanted.timestamp_header:
        yield f'-H "{wanted.timestamp_header}: $time"'


def _sample(route: Route) -> dict[str, Any]:
    """A body that has what the route looks for."""
    body: dict[str, Any] = {}
    shortcut = route.shortcut
    for path in filter(None, (shortcut.key, shortcut.workflow_id) if shortcut else ()):
        *outer, last = path.removeprefix("$.").split(".")
        inner = body
        for step in outer:
            inner = inner.setdefault(step, {})
        inner[last] = last.upper()
    return body
