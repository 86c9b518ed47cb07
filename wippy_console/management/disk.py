"""A folder on disk as the mapping of files that `engine.registry.tree` reads."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from engine.registry.tree import MAX_SOURCE, MAX_YAML, UnreadableError, is_read

MAX_FILES = 100_000


class FolderError(Exception):
    """The folder can't be read as a whole; the text says why."""


class Folder(Mapping[str, bytes]):
    """The regular files below a folder, by path relative to it (with "/"), read when they are asked for.

    Hidden files and folders are left out, and folders of the root that `leave_out` names. A link is followed only to a
    file that lies in the folder itself, so that no tree can name what is outside of it. Reading raises UnreadableError.
    """

    def __init__(self, root: Path, leave_out: Collection[str] = ()) -> None:
        self.root = root.resolve()
        if not self.root.is_dir():
            raise FolderError("there is no such folder" if not self.root.exists() else "not a folder")
        self._paths = dict.fromkeys(path for path in _walk(self.root) if path.partition("/")[0] not in leave_out)

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    def __contains__(self, path: object) -> bool:
        return path in self._paths

    def __getitem__(self, path: str) -> bytes:
        if path not in self._paths:
            raise KeyError(path)
        try:
            return self._read(self.root / path)
        except OSError as error:
            raise UnreadableError(error.strerror or str(error)) from error

    def _read(self, path: Path) -> bytes:
        target = _target(path)
        if not target.is_relative_to(self.root):
            raise UnreadableError("a link that leads out of the folder")
        # Without O_NONBLOCK, opening a pipe would wait for a writer for ever.
        with os.fdopen(os.open(target, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UnreadableError("not a regular file")
            return file.read(max(MAX_YAML, MAX_SOURCE) + 1)


def _target(path: Path) -> Path:
    try:
        return path.resolve(strict=True)
    except RuntimeError:  # what Python before 3.13 makes of a link to itself
        raise UnreadableError("a link that leads to itself") from None


def _walk(root: Path) -> Iterator[str]:
    count = 0
    for folder, folders, files in os.walk(root, onerror=_refuse):
        folders[:] = sorted(filter(is_read, folders))
        for name in sorted(filter(is_read, files)):
            count += 1
            if count > MAX_FILES:
                raise FolderError(f"more than {MAX_FILES} files")
            yield (Path(folder) / name).relative_to(root).as_posix()


def _refuse(error: OSError) -> None:
    raise FolderError(f"can't read {error.filename}: {error.strerror}")


def write_all(root: Path, files: Mapping[str, str | None]) -> None:
    """Write each text to its path below `root`, delete those without one; a file is whole or as it was before."""
    root.mkdir(parents=True, exist_ok=True)
    for relative, text in files.items():
        path = root / relative
        if not path.resolve().is_relative_to(root.resolve()):
            raise FolderError(f"{relative} leads out of the folder")
        if text is None:
            path.unlink(missing_ok=True)
        else:
            _write(path, text)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.write_bytes(text.encode())
    new.replace(path)
