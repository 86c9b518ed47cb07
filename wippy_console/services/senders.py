"""From where a request came, as far as that can be believed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings


def address(meta: Mapping[str, Any]) -> str:
    """Of a request's META. With WIPPY_SECURE a proxy stands in front: it adds whom it heard it from to what that one
    says, so only the last address is its word.
    """
    heard = str(meta.get("HTTP_X_FORWARDED_FOR", "")).rpartition(",")[2].strip() if settings.SECURE else ""
    return heard or str(meta.get("REMOTE_ADDR", ""))
