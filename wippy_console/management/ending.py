"""How the command line ends: with the code that was meant, whatever threads of Temporal's runtime still run."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from wippy_console.env import package_of

MODULE = "<module>"


def end_as_meant(run: Callable[[], None]) -> NoReturn:
    """Run it, say what went wrong, and leave without Python's own clean-up.

    A thread of the SDK that wakes while the interpreter goes down aborts the process
    (docs/pitfalls.md#exit-after-a-workers-shutdown).
    """
    code = _code_of(run)
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # nobody reads any more
            stream.flush()
    os._exit(code)


def _code_of(run: Callable[[], None]) -> int:
    try:
        run()
    except SystemExit as leaving:
        return _told(leaving.code)
    except ImproperlyConfigured as error:
        return _told(f"manage.py: {error}{_about_labels(str(error))}")
    except KeyboardInterrupt:
        return 130
    except BaseException as error:
        if text := _of_app(error):
            return _told(f"manage.py: {text}")
        traceback.print_exc()
        return 1
    return 0


def _about_labels(said: str) -> str:
    """What to do about Django's "Application labels aren't unique"."""
    if "labels aren't unique" not in said:
        return ""
    apps = ", ".join(settings.WIPPY_APPS)
    return f". Two apps may not have one label: give one of WIPPY_APPS ({apps}) another, as `label` of its AppConfig"


def _of_app(error: BaseException) -> str:
    """Which module of an app can't be imported, where and why; "" for all else that can go wrong."""
    if not settings.configured or settings.DEBUG:
        return ""
    places = [(each.filename, each.lineno) for each in traceback.extract_tb(error.__traceback__) if each.name == MODULE]
    if isinstance(error, SyntaxError):
        places.append((error.filename or "", error.lineno))
    for file, line in reversed(places):
        for app in settings.WIPPY_APPS:
            if (root := _folder(app)) and Path(file).is_relative_to(root):
                place = Path(file).relative_to(root.parent)
                why = f"{type(error).__name__}: {getattr(error, 'msg', error)}"
                return f"WIPPY_APPS: {app} can't be loaded: {place}, line {line}: {why} (WIPPY_DEBUG=1 shows more)"
    return ""


def _folder(app: str) -> Path | None:
    try:
        found = find_spec(package_of(app))
    except Exception:  # a package around it is what can't be imported
        found = find_spec(app.partition(".")[0])
    return Path(found.origin).parent if found and found.origin else None


def _told(code: object) -> int:
    """The code of `sys.exit(code)`, which may be a text to print."""
    if code is None or isinstance(code, int):
        return code or 0
    sys.stderr.write(f"{code}\n")
    return 1
