"""Checks `meta.mask`: paths that lead somewhere, and nothing that shows by another field what is masked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from engine.registry.problems import Problem

_HOLE = re.compile(r"\{\s*([\w.$-]{1,200})\s*\}")


def check(meta: Mapping[str, Any]) -> Iterator[Problem]:
    """Warnings: what is masked is never a business key, and stands as dots in what is said."""
    masks = {path: _steps(path) for path in _texts(meta.get("mask"))}
    for path, steps in masks.items():
        if not all(steps) or not path:
            yield _warning("meta.mask", f"`{path}` leads nowhere: a path is written card.number")
    for path in _texts(meta.get("search")):
        if _is_masked(path, masks.values()):
            yield _warning("meta.search", f"`{path}` is masked: no run is found by it")
    summary = meta.get("summary")
    for path in _HOLE.findall(summary) if isinstance(summary, str) else ():
        if _is_masked(path, masks.values()):
            yield _warning("meta.summary", f"`{path}` is masked: the summary has dots in its place")


def _warning(field: str, text: str) -> Problem:
    return Problem(text, field=field, severity="warning")


def _texts(found: Any) -> list[str]:
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def _steps(path: str) -> tuple[str, ...]:
    inner = path.removeprefix("$").removeprefix(".")
    return tuple(inner.split(".")) if inner else ()


def _is_masked(path: str, masks: Any) -> bool:
    """Whether it leads to what is masked, or to something within."""
    steps = _steps(path)
    return any(all(mask) and steps[: len(mask)] == mask for mask in masks)
