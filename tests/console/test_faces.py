"""The packages of services have faces: nobody imports past them."""

from __future__ import annotations

import re
from pathlib import Path

CONSOLE = Path(__file__).parents[2] / "wippy_console"
MODULE = re.compile(r"wippy_console\.services\.(\w+)\.(\w+)")


def test_services_are_imported_from_the_faces_of_their_packages() -> None:
    modules = {(file.parent.name, file.stem) for file in (CONSOLE / "services").glob("*/*.py")}
    past = [
        f"{file.relative_to(CONSOLE)}: {found.group()}"
        for file in CONSOLE.rglob("*.py")
        for found in MODULE.finditer(file.read_text())
        if found.groups() in modules and file.parent != CONSOLE / "services" / found[1]
    ]
    assert ("questions", "matching") in modules and past == []
