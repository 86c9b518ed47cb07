"""Files that go out while they are read from the database, so that a large one takes no memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import islice

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse

PORTION = 500
"""Lines that go out at once."""


def attachment(request: HttpRequest, lines: Iterator[str], kind: str, name: str) -> StreamingHttpResponse:
    """The lines as a file to keep. Of a plain iterator an ASGI server would make a list first."""
    content = _portions(lines) if isinstance(request, ASGIRequest) else lines
    return StreamingHttpResponse(content, kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


async def _portions(lines: Iterator[str]) -> AsyncIterator[str]:
    """Read on the thread of the request, whose connection to the database the lines come from."""
    take = sync_to_async(lambda: "".join(islice(lines, PORTION)))
    while text := await take():
        yield text
