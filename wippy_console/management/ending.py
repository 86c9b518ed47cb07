"""How the command line ends: with the code that was meant, whatever threads of Temporal's runtime still run."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from django.core.exceptions import ImproperlyConfigured


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
        return _told(f"manage.py: {error}")
    except KeyboardInterrupt:
        return 130
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _told(code: object) -> int:
    """The code of `sys.exit(code)`, which may be a text to print."""
    if code is None or isinstance(code, int):
        return code or 0
    sys.stderr.write(f"{code}\n")
    return 1
