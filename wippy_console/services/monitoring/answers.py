"""Answers to probes and to Prometheus, whichever server gives them."""

from __future__ import annotations

import json
import secrets

from django.conf import settings
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from wippy_console.services.monitoring import readiness

PLAIN = "text/plain; charset=utf-8"

Answer = tuple[int, str, bytes]
"""Status, content type, body."""

ALIVE: Answer = 200, PLAIN, b"ok\n"
WRONG_METHOD: Answer = 405, PLAIN, b"GET or HEAD\n"
OFF: Answer = 404, PLAIN, b"off: set WIPPY_METRICS_TOKEN, or WIPPY_METRICS_OPEN=1\n"
REFUSED: Answer = 401, PLAIN, b"Authorization: Bearer with the token of WIPPY_METRICS_TOKEN\n"


def ready(found: readiness.Found) -> Answer:
    """200 or 503, and each thing that was looked at."""
    return 200 if readiness.is_ready(found) else 503, "application/json", json.dumps(found).encode()


def refusal(authorization: str) -> Answer | None:
    """Why whoever sends this header may not have the figures, None when they may."""
    if settings.METRICS_OPEN:
        return None
    if not settings.METRICS_TOKEN:
        return OFF
    scheme, _, token = authorization.partition(" ")
    right = secrets.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())
    return None if right and scheme.lower() == "bearer" else REFUSED


def figures(registry: CollectorRegistry) -> Answer:
    """All figures, in Prometheus's text format."""
    return 200, CONTENT_TYPE_LATEST, generate_latest(registry)
