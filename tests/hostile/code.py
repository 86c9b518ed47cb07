"""Python functions that behave badly."""

from __future__ import annotations
