"""Runs bodies in a unit and in plain Lua, and tells where they differ."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import lupa.lua54 as plain_lua

from engine.steps import KERNEL, Returned
from engine.testing import Driver
from tests.differential.known import known

BATCH = 40
# Told byte by byte, so that nothing depends on how either side prints numbers or hands strings over.
_TELL = r"""
local tell
local function told(v, depth)
  local kind = math.type(v) or type(v)
  if kind == "integer" then return ("%d"):format(v) end
  if kind == "float" then return v ~= v and "nan" or ("%.17gf"):format(v) end
  if kind == "string" then return '"' .. v:gsub("[^ -~]", function(c) return "\\" .. c:byte() end) .. '"' end
  if kind ~= "table" or depth > 4 then return kind == "boolean" and tostring(v) or kind end
  local parts = {}
  for key, item in next, v do parts[#parts + 1] = told(key, depth + 1) .. "=" .. told(item, depth + 1) end
  table.sort(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end
function tell(...)
  local parts = {...}
  for i = 1, select("#", ...) do parts[i] = told((select(i, ...)), 0) end
  return table.concat(parts, " ")
end
"""


@dataclass(frozen=True)
class Difference:
    """One body, and what both say of it."""

    body: str
    ours: str
    plain: str

    def __str__(self) -> str:
        return f"{self.body}\n    ours:  {self.ours}\n    plain: {self.plain}"


def differences(bodies: Sequence[str], kind: str, kernel: int = KERNEL) -> list[Difference]:
    """What a unit of that kind answers otherwise than plain Lua, but for what is known."""
    return [
        Difference(body, ours, plain)
        for at in range(0, len(bodies), BATCH)
        for body, ours, plain in _both(bodies[at : at + BATCH], kind, kernel)
        if ours != plain and not known(body, ours, plain)
    ]


def _both(bodies: Sequence[str], kind: str, kernel: int) -> list[tuple[str, str, str]]:
    source = _source(bodies)
    plain = [*map(_normal, plain_lua.LuaRuntime(encoding="latin-1").execute(source).values())]
    return [*zip(bodies, _ours(bodies, kind, kernel), plain, strict=True)]


def _ours(bodies: Sequence[str], kind: str, kernel: int) -> list[str]:
    status = Driver.of_source(f"return function() {_source(bodies)} end", kind, kernel=kernel).status
    match status:
        case Returned(list() as values):
            return [*map(_normal, values)]
        case _ if len(bodies) > 1:  # one of them took the unit down
            return [told for body in bodies for told in _ours([body], kind, kernel)]
        case _:
            return [f"the unit ended: {status}"]


def _source(bodies: Sequence[str]) -> str:
    runs = "\n".join(f"all[#all + 1] = tell(pcall(function() {body} end))" for body in bodies)
    return f"{_TELL} local all = {{}}\n{runs}\nreturn all"


def _normal(told: Any) -> str:
    """Without places and addresses: what is called as a tail has no place here, where libraries are Lua."""
    text = re.sub(r'(\[string \\?"[^]]*"\]|[\w.:]+):\d+: ', "", str(told))
    return re.sub(r"0x[0-9a-f]{6,}", "ADDRESS", text)
