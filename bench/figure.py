"""One figure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A measured ratio; larger is better. `detail` has the absolute numbers, which depend on the machine."""

    name: str
    value: float
    to_reach: float
    detail: str
