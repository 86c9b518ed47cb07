"""What peers answered to a test that is recorded: written as an entry that its `meta.doubles` can name."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from pathlib import Path
from typing import Any

from engine.asks.http.requests import Request

PREFIX = "record:"
"""Before the id of a test in its context: peers are asked, and their answers written down."""
KEPT_HEADERS = ("content-type", "location", "etag", "retry-after", "link")
"""What of an answer is written: no cookies or tokens."""


class Recording:
    """Answers by test, each test's in a file of `folder` that its owner alone can read; None writes nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._answers: dict[str, list[dict[str, Any]]] = {}
        self._lock = asyncio.Lock()

    async def keep(self, request: Request, status: int, headers: Any, body: bytes) -> None:
        """Write an answer down, if its request is one of a test that is recorded."""
        test = request.double.removeprefix(PREFIX)
        if self._folder is None or test == request.double:
            return
        async with self._lock:
            answers = self._answers.setdefault(test, [])
            answers.append(_answer(request, status, headers, body))
            await asyncio.to_thread(_write, file_of(self._folder, test), test, answers)


def file_of(folder: Path, test: str) -> Path:
    """Where a test's answers are written."""
    return folder / f"{test.replace(':', '.').replace('/', '_')}.yaml"


def _answer(request: Request, status: int, headers: Any, body: bytes) -> dict[str, Any]:
    kept = {name: headers[name] for name in KEPT_HEADERS if name in headers}
    try:
        said = {"body": body.decode("utf-8")}
    except UnicodeDecodeError:
        said = {"base64": base64.b64encode(body).decode()}
    return {"method": request.method, "url": str(request.url), "status": status, "headers": kept, **said}


def _write(path: Path, test: str, answers: list[dict[str, Any]]) -> None:
    """As JSON, which is YAML."""
    namespace, _, name = test.partition(":")
    entry = {"name": f"{name}_doubles", "kind": "registry.entry", "answers": answers}
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    with open(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump({"namespace": namespace, "entries": [entry]}, file, indent=1, ensure_ascii=False)
    draft.replace(path)
