"""What code of Django apps uses of the console: functions that Lua calls, and workflows that Django starts.

It can be imported before the apps are ready.
"""

from wippy_console.sdk.context import Actor, Context, Run
from wippy_console.sdk.errors import (
    AlreadyExists,
    Canceled,
    Conflict,
    Error,
    Internal,
    Invalid,
    LimitExceeded,
    NotFound,
    PermissionDenied,
    RateLimited,
    Timeout,
    Unavailable,
)
from wippy_console.sdk.functions import function
from wippy_console.sdk.starting import Handle, aanswer, answer, aresult, asignal, astart, result, signal, start

__all__ = [
    "Actor",
    "AlreadyExists",
    "Canceled",
    "Conflict",
    "Context",
    "Error",
    "Handle",
    "Internal",
    "Invalid",
    "LimitExceeded",
    "NotFound",
    "PermissionDenied",
    "RateLimited",
    "Run",
    "Timeout",
    "Unavailable",
    "aanswer",
    "answer",
    "aresult",
    "asignal",
    "astart",
    "function",
    "result",
    "signal",
    "start",
]
