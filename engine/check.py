"""Checks the syntax of Lua sources for the registry: types erased, compiled, never run.

It stands above both `engine.registry` and `engine.lua`, which know nothing of each other.
"""

from __future__ import annotations

from engine.errors import ProgramError
from engine.lua.state import compile_chunk
from engine.registry.problems import Problem


def check_source(text: str, chunk_name: str) -> Problem | None:
    """What is wrong with the syntax of a source (the first error, with its line), or None.

    `chunk_name` is the entry id.
    """
    try:
        compile_chunk(chunk_name, text)
    except ProgramError as error:
        return Problem(f"not valid Lua: {error}", entry_id=chunk_name, field="source", line=error.line)
    return None
