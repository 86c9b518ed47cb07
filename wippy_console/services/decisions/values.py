"""A declared signal, as one user sees it on one run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from wippy_console.models import Question

ReasonRule = Literal["required", "optional", "none"]


@dataclass(frozen=True, slots=True)
class Button:
    """One item of an entry's `meta.signals`. `index` is its position there and names the button.

    `schema` is the JSON Schema of the form or None (no form fields); `payload` are the declared constants;
    `question` is the open question that it would answer now. A button that is not `enabled` says why in `why_not`.
    """

    index: int
    topic: str
    label: str
    tone: str = "neutral"
    description: str = ""
    schema: Mapping[str, Any] | None = None
    payload: Any = None
    reason: ReasonRule = "optional"
    role: str = ""
    question: Question | None = None
    enabled: bool = False
    why_not: str = ""
