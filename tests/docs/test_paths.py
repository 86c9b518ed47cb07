"""Every path and module that pages and comments name exists; pages name whole paths, from the root of the project."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from engine.registry.kinds import LUA
from tests.docs.pages import HISTORY, ROOT, line_of, name_of, pages, text_files, text_of

CODE = "engine|tests|bench"
ROOMS = f"{CODE}|wippy_console|docs|examples|frontend|scripts|static|templates"
_PATH = re.compile(rf"(?<![\w./`\"'-])`?((?:{ROOMS})/[\w./*-]*)")
_MODULE = re.compile(rf"(?<![\w./:-])((?:{CODE})(?:\.\w+)+)(?![\w/-])")
_LOOSE = re.compile(r"`([\w-]+(?:/[\w.-]+)*\.(?:py|lua|js|html|sh|toml))`")


def test_every_path_exists() -> None:
    wrong = [f"{where}: {path} does not exist" for where, path in _found(_PATH, _all()) if not _exists(path)]
    assert not wrong, "\n".join(wrong)


def test_every_module_exists() -> None:
    wrong = [f"{where}: {name} does not exist" for where, name in _found(_MODULE, _all()) if not _is_module(name)]
    assert not wrong, "\n".join(wrong)


def test_files_are_named_by_whole_paths() -> None:
    """`state.py` can't be checked, and there may be two: `engine/lua/state.py` is one."""
    wrong = [
        f"{where}: {path}: write the whole path from the root of the project"
        for where, path in _found(_LOOSE, pages())
        if path not in LUA and path != "__init__.py" and not _exists(path)
    ]
    assert not wrong, "\n".join(wrong)


def _all() -> list[Path]:
    return [path for path in text_files() if path.name != HISTORY and path != Path(__file__)]


def _found(pattern: re.Pattern[str], paths: Iterable[Path]) -> Iterator[tuple[str, str]]:
    for path in paths:
        for match in pattern.finditer(text_of(path)):
            yield f"{name_of(path)}:{line_of(text_of(path), match.start())}", match[1]


def _exists(path: str) -> bool:
    """`engine/lua` and `engine/lua/state` are a package and a module, `cases/*.lua` are some files."""
    path = path.rstrip("./").replace("NAME", "*")
    return any(True for _ in ROOT.glob(path)) or (ROOT / f"{path}.py").exists()


def _is_module(name: str) -> bool:
    """A module or package, or a name within one."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        file = _file(ROOT.joinpath(*parts[:length]))
        if file is not None:
            return all(re.search(rf"\b{part}\b", file.read_text("utf-8")) for part in parts[length:])
    return False


def _file(module: Path) -> Path | None:
    candidates = (module.with_suffix(".py"), module / "__init__.py")
    return next((path for path in candidates if path.exists()), None)
