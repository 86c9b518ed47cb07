"""The lock of a data folder: one `up` at a time."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FolderInUse(Exception):
    """Another `up` runs on the data folder."""


@contextmanager
def locked(data: Path, note: str) -> Iterator[None]:
    """Hold it; the note tells a second starter who holds it."""
    data.mkdir(parents=True, exist_ok=True)
    with (data / "up.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise FolderInUse(f"already running on {data}: {file.read().strip()}") from None
        file.truncate(0)
        file.write(note)
        file.flush()
        yield
