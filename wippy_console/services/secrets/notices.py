"""What the page of a run says of its masked values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wippy_console.models import Run
from wippy_console.models.masks import anything
from wippy_console.services import masking
from wippy_console.services.errors import Refused
from wippy_console.services.secrets.events import veil


@dataclass(frozen=True, slots=True)
class Notice:
    """At which paths the run's entry masks, whether the values are shown now, and whether they may be."""

    paths: tuple[str, ...]
    shown: bool
    may_see: bool


def notice(user: Any, run: Run) -> Notice | None:
    """None where nothing is masked; for whoever may see them also where only what the run calls masks something."""
    may = masking.may_see(user, run)
    if not run.mask and not (may and anything() and _calls_mask(run)):
        return None
    return Notice(run.mask, may and masking.sees(user, run), may)


def _calls_mask(run: Run) -> bool:
    try:
        return bool(veil(run, None))
    except Refused:
        return False
