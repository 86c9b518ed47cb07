"""What lists draw with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()


@register.filter
def key(keys: Mapping[str, Any] | None, path: str) -> str:
    """The business key at the path, "" without it."""
    return str((keys or {}).get(path, ""))
