"""What a run was started with, for another start with the same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from wippy_console.models import Run
from wippy_console.services.errors import NotFoundError, Refused
from wippy_console.services.exact import MAX_DEPTH, Path
from wippy_console.services.runs.searching import visible
from wippy_console.services.runs.whole import INPUT, value
from wippy_console.services.secrets import MASK

_MADE = re.compile(r"[0-9a-f]{32}$|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.IGNORECASE)
_NUMBERED = re.compile(r"-again(-\d+|-[0-9a-f]{8})?$")
_TRIES = 100
_LONGEST = 950


@dataclass(frozen=True, slots=True)
class Again:
    """A run to start again: all its arguments, without what is hidden in the first one, and where that stood."""

    run: Run
    args: list[Any]
    hidden: tuple[str, ...]
    workflow_id: str
    """One that is free, like the run's; "" where the run's was made by itself."""


def again(user: Any, run_id: str) -> Again:
    """What the run was given, whole; NotFoundError, Refused when nobody has all of it any more, Unavailable."""
    run = visible(user).filter(pk=run_id).first()
    if run is None:
        raise NotFoundError("There is no such run to start again.")
    hidden: list[Path] = []
    args = [_shown(each, (index,), hidden) for index, each in enumerate(_given(run, user))]
    return Again(run, args, tuple(_spoken(path) for path in hidden), _free_id(run))


def _given(run: Run, user: Any) -> list[Any]:
    try:
        found: list[Any] = value(run, INPUT, user)
    except NotFoundError as gone:
        if run.cut.get(INPUT):
            raise Refused("Its input is not known any more: it was long, and its history is gone.") from gone
        return list(run.input or [])
    return found


def _shown(part: Any, path: Path, hidden: list[Path]) -> Any:
    """The part without masks, which nobody is to send as if they were values."""
    if len(path) > MAX_DEPTH:
        return part
    if isinstance(part, dict):
        kept = {name: each for name, each in part.items() if each != MASK}
        hidden.extend((*path, name) for name in part if name not in kept)
        return {name: _shown(each, (*path, name), hidden) for name, each in kept.items()}
    if isinstance(part, list):
        return [_shown(each, (*path, index), hidden) for index, each in enumerate(part)]
    if part == MASK:
        hidden.append(path)
        return None
    return part


def _spoken(path: Path) -> str:
    """The place in words; the number of the first argument goes without saying."""
    steps = path[1:] if path[0] == 0 else (f"argument {int(path[0]) + 1}", *path[1:])
    return " › ".join(str(each + 1) if isinstance(each, int) else each for each in steps) or "the whole input"


def id_again(workflow_id: str) -> str:
    """`order-7` as `order-7-again`, also where it is that already; "" for an id that was made by itself."""
    own = _MADE.search(workflow_id) or len(workflow_id) > _LONGEST
    return "" if own else f"{_NUMBERED.sub('', workflow_id)}-again"


def _free_id(run: Run) -> str:
    """That, then `order-7-again-2`."""
    base = id_again(run.workflow_id)
    if not base:
        return ""
    wanted = [base, *(f"{base}-{number}" for number in range(2, _TRIES))]
    taken = Run.objects.filter(client=run.client, workflow_id__in=wanted).values_list("workflow_id", flat=True)
    return next((each for each in wanted if each not in set(taken)), "")
