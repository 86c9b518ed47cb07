"""Functions: called once, by whatever worker takes the call."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from wippy_console.api.problems import within
from wippy_console.api.shapes import Body, Json, Text
from wippy_console.services import processes

router = Router()

MOST_SECONDS = 60
"""So long a call takes at most; what takes longer is the work of a run."""


class CallIn(Body):
    """What to call, and for how many seconds to wait at most."""

    entry: Annotated[Text, Field(max_length=500)]
    args: Annotated[list[Json], Field(max_length=100)] = []
    timeout: Annotated[float, Field(gt=0, le=MOST_SECONDS)] = 30


class FailureOut(Schema):
    """How code failed; `retryable` is null when it does not say, `stack` its traceback, or "" for a returned error."""

    kind: str
    message: str
    retryable: bool | None
    details: dict[str, Any]
    stack: str


class Called(Schema):
    """The value of the function when it is `ok`, else its failure; `took` is in seconds."""

    ok: bool
    took: float
    result: Json = None
    failure: FailureOut | None = None


@router.post("/call", response=Called, summary="Call a function")
def call(request: HttpRequest, body: CallIn) -> Any:
    """Run a function, or a process to its end, and answer with what it returned. It needs the right to call functions.

    A function that fails is an answer as well: 200 with `ok` false. Kind `Timeout` means that it was late, or that its
    node died: it may have done some of its work. 503 means that no worker took the call.

    A call has no key of its own: while its answer is kept, a repeat with the same `Idempotency-Key` gets that answer
    and calls nothing. When the console dies during the call, or answers 503, there is no answer to keep, and a repeat
    calls the function again. What must not be done twice is the work of a run, or of a function that sees a key.
    """
    with within("args", 0):
        found = processes.trial(request.user, body.entry, body.args, body.timeout)
    return {"ok": found.failure is None, "result": found.value, "failure": found.failure, "took": found.took}
