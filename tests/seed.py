"""The samples of the seed document, verbatim in tests/data/seed; nothing inside them is ever changed.

They are fragments: `lua` wraps one in a chunk whose main takes the sample's free variables as arguments.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "data" / "seed"


def lua(name: str, *free_variables: str) -> str:
    """The sample `name` as the body of a `main`."""
    return f"local function main({', '.join(free_variables)})\n{_text(name, 'lua')}\nend\nreturn {{main = main}}\n"


def yaml(name: str) -> str:
    """The YAML sample `name`: a list of entries."""
    return _text(name, "yaml")


def _text(name: str, suffix: str) -> str:
    return (FOLDER / f"{name}.{suffix}").read_text("utf-8")
