"""Fixtures of the tests of the API: those of the console's."""

from __future__ import annotations

from tests.console.conftest import cast, clerk, on_stage, rooms

__all__ = ["cast", "clerk", "on_stage", "rooms"]
