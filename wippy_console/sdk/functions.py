"""Functions that code declares itself, without an entry in the registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from wippy_console.services import python_functions

Function = TypeVar("Function", bound=Callable[..., Any])


def function(
    entry: str,
    *,
    schema: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    temporal: Mapping[str, Any] | None = None,
    meta: Mapping[str, Any] | None = None,
) -> Callable[[Function], Function]:
    """Let Lua call the function by the id `entry`, as if the registry had an entry of kind `function.python`.

    `schema` is `meta.input_schema`, `options` `meta.options` (timeout, retry), `temporal` `meta.temporal` (a worker).
    Modules `functions` of the apps of WIPPY_APPS are imported at the start; a function elsewhere must be imported by
    one of them. An entry of that id in the registry counts before it, and the console shows where the two differ.
    Raises `DeclaredWrongly` where the function is.
    """
    told = {**(meta or {}), "input_schema": schema, "options": options, "temporal": temporal}

    def declare(code: Function) -> Function:
        python_functions.declare(entry, code, told)
        return code

    return declare
