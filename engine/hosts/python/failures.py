"""What Python code raises, as failures: kind, message, and a traceback of the code's own frames."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from engine.errors import INTERNAL, Failure, UnitFailed

MAX_STACK = 16 * 1024
MAX_MESSAGE = 16 * 1024
_OURS = str(Path(__file__).parent)


def failure_of(error: BaseException, translate: Callable[[BaseException], Failure | None]) -> Failure:
    """The failure that the exception is; `translate` knows those of frameworks."""
    if isinstance(error, UnitFailed):
        return error.failure if error.failure.stack else replace(error.failure, stack=stack_of(error))
    known = translate(error)
    if known is None:
        text = _text(error)
        known = Failure(INTERNAL, f"{type(error).__name__}: {text}" if text else type(error).__name__)
    return replace(known, message=known.message[:MAX_MESSAGE], stack=stack_of(error))


def stack_of(error: BaseException) -> str:
    """Its traceback and those of its causes, without our frames; files by their place on Python's path."""
    parts = [_stack(each) for each in _chain(error)]
    text = "\n\n".join(part for part in reversed(parts) if part)
    return text if len(text) <= MAX_STACK else "…" + text[1 - MAX_STACK :]


def _chain(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in found and len(found) < 10:
        found.append(current)
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return found


def _stack(error: BaseException) -> str:
    frames = [each for each in _frames(error.__traceback__) if not each.filename.startswith(_OURS)]
    if not frames:
        return ""
    lines = [
        f"{_place(each.filename)}:{each.lineno}: in {each.name}\n    {each.line or ''}".rstrip() for each in frames
    ]
    return "\n".join([*lines, f"{type(error).__name__}: {_text(error)}"])


def _frames(trace: TracebackType | None) -> traceback.StackSummary:
    return traceback.extract_tb(trace, limit=-50)


def _place(file: str) -> str:
    """The file without what is this machine's."""
    for folder in sorted(filter(None, sys.path), key=len, reverse=True):
        if file.startswith(folder.rstrip("/") + "/"):
            return file[len(folder.rstrip("/")) + 1 :]
    return Path(file).name


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "an exception that can't say what it is"
