"""Checks Lua sources for the registry: types erased, compiled, never run.

It stands above both `engine.registry` and `engine.lua`, which know nothing of each other.
"""

from __future__ import annotations

from engine.errors import ProgramError
from engine.lua.state import compile_chunk
from engine.lua.typed.literals import called
from engine.registry.problems import Problem
from engine.registry.sources import Named, Source


def check_source(text: str, chunk_name: str) -> Source:
    """What is wrong with the syntax of a source, and the ids of entries that it calls or starts.

    `chunk_name` is the entry id.
    """
    try:
        compile_chunk(chunk_name, text)
    except ProgramError as error:
        return Source(Problem(f"not valid Lua: {error}", entry_id=chunk_name, field="source", line=error.line))
    return Source(named=tuple(Named(*each) for each in called(text)))
