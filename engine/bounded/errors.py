"""What bounded readers raise."""

from __future__ import annotations


class TooCostlyError(Exception):
    """Raised for what could take too long; the text says what."""
