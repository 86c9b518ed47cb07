"""A file of `NAME=value` lines. What follows a `#` is a comment; quotes and backslashes mean themselves."""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.errors import UNAVAILABLE, Failure, UnitFailed, invalid, not_found

MAX_FILE = 1 << 20
FILE_MODE, DIR_MODE = 0o600, 0o700
_LINE = re.compile(r"\s*([A-Za-z0-9_]+)\s*=([^#]*)")


class DotenvFile:
    """Reads the file at every look, and replaces it whole at every change: readers never see half of one.

    Writers of all processes take turns. Modes are octal digits, as text or number. Raises UnitFailed.
    """

    def __init__(self, path: Path, create: bool = False, file_mode: Any = None, dir_mode: Any = None) -> None:
        self._path = path
        self._create = create
        self._file_mode = _mode(file_mode, FILE_MODE)
        self._dir_mode = _mode(dir_mode, DIR_MODE)

    def get(self, name: str) -> str | None:
        """The value of the last line of that name; None without one, or without a file."""
        found = [match[2].strip() for line in self._lines() if (match := _LINE.match(line)) and match[1] == name]
        return found[-1] if found else None

    def put(self, name: str, value: str) -> None:
        """Set the value in place of its lines, other lines stay; Invalid for one that a line can't hold."""
        if value != value.strip() or re.search(r"[#\n\r]", value):
            raise UnitFailed(
                invalid(f"a file can't hold this value of '{name}': it has a #, a line end, or outer space")
            )
        with self._locked():
            others = [line for line in self._lines() if not ((match := _LINE.match(line)) and match[1] == name)]
            self._replace("".join(f"{line}\n" for line in [*others, f"{name}={value}"]))

    def _lines(self) -> list[str]:
        try:
            with self._path.open("rb") as file:
                text = file.read(MAX_FILE + 1)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise UnitFailed(_broken(self._path, error)) from error
        if len(text) > MAX_FILE or b"\0" in text:
            raise UnitFailed(invalid(f"{self._path.name} is no file of NAME=value lines"))
        return text.decode("utf-8", "replace").splitlines()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock of the file, which is another file: this one is replaced."""
        try:
            if not self._path.exists():
                if not self._create:
                    raise UnitFailed(
                        not_found(f"the file {self._path.name} does not exist, and auto_create is not set")
                    )
                self._path.parent.mkdir(mode=self._dir_mode, parents=True, exist_ok=True)
            descriptor = os.open(f"{self._path}.lock", os.O_CREAT | os.O_RDWR, self._file_mode)
        except OSError as error:
            raise UnitFailed(_broken(self._path, error)) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        except OSError as error:
            raise UnitFailed(_broken(self._path, error)) from error
        finally:
            os.close(descriptor)

    def _replace(self, text: str) -> None:
        mode = self._path.stat().st_mode & 0o777 if self._path.exists() else self._file_mode
        descriptor, draft = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
        try:
            with open(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                os.fchmod(file.fileno(), mode)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, self._path)
        except BaseException:
            os.unlink(draft)
            raise


def _mode(value: Any, default: int) -> int:
    """0600 is 600 in YAML 1.2: its digits are meant, whatever its type."""
    digits = str(value)
    return int(digits, 8) if re.fullmatch("0?[0-7]{3}", digits) else default


def _broken(path: Path, error: OSError) -> Failure:
    return Failure(UNAVAILABLE, f"the file {path.name} can't be used: {error.strerror}", retryable=True)
