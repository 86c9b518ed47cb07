"""The one place that touches lupa: states, the kernel in them, and compiled chunks.

Everything that lupa returns is `Any`; it stays in this module (docs/pitfalls.md#lua-and-lupa).
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import lupa.lua54 as lupa_lua

from engine import modules
from engine.errors import ProgramError
from engine.lua.marshal import to_lua_text
from engine.lua.typed.eraser import erase
from engine.steps import KERNEL as NEWEST

KERNEL = Path(__file__).parent / "kernel"
STACKS = Path(__file__).parent / "stacks.lua"
INDEX = "index"
# The codes of `run`: idle or ended, a service is asked for, a limit was exceeded, a file, a send.
IDLE, SERVICE, EXCEEDED, CHUNK, SEND = range(5)
MOST_ARGUMENTS = 100
NOTHING = 1  # bytes: as a limit of memory, nothing more can be allocated
Output = tuple[int | str, int, Sequence[int], Sequence[Any]]
"""Code, or the text of a kernel error; messages that wait in the unit; shape and values of what was put."""

LuaMemoryError = lupa_lua.LuaMemoryError
LuaError = lupa_lua.LuaError

_LOADER = """
local load, collect, held, files, kind, now, version = load, collectgarbage, ...
collect("stop") -- nothing of the kernel is garbage yet
-- Libraries that nothing here uses: some KB of an idle unit, and so much less to escape through.
local registry = debug.getregistry()
for _, name in ipairs { "io", "package", "require", "dofile", "loadfile", "warn", "print" } do
  _G[name], registry._LOADED[name] = nil, nil
end
registry._PRELOAD, registry._CLIBS = nil, nil
local k = { kind = kind, is_workflow = kind == "workflow", version = version, io = { now = now, files = files } }
function k.chunk(name)
  local code = held[name] or k.chunk_code(name)
  held[name] = nil
  return load(code, "=[kernel]/" .. name, "b")
end
return function(code, name) load(code, "=[kernel]/" .. name, "b")(k) end, k, function() collect("restart") end
"""
_DUMPER = """
local load, dump = load, string.dump
return function(text, name, strip)
  local chunk, why = load(text, name, "t")
  if not chunk then return nil, why end
  return dump(chunk, strip)
end
"""
_compiler_lock = threading.Lock()


def _deny(*_: object) -> None:
    raise AttributeError("no Python attribute is open to Lua")


def _runtime() -> Any:
    return lupa_lua.LuaRuntime(
        unpack_returned_tuples=True,
        register_eval=False,
        register_builtins=False,
        encoding="latin-1",
        attribute_filter=_deny,
        max_memory=0,
    )


@cache
def _dumper() -> Any:
    return _runtime().execute(_DUMPER)


def _compile(text: str, name: str, strip: bool) -> str:
    with _compiler_lock:
        result = _dumper()(to_lua_text(text), to_lua_text(name), strip)
    if isinstance(result, tuple):
        raise _syntax_error(str(result[1]), name.lstrip("="))
    return str(result)


def _syntax_error(message: str, entry_id: str) -> ProgramError:
    message = message.partition("\nstack traceback:")[0]  # follows "C stack overflow", and is about us
    match = re.match(r"(?s).*?:(\d+): (.*)", message.removeprefix(entry_id))
    if not match:
        return ProgramError(message, entry_id=entry_id)
    return ProgramError(match[2], entry_id=entry_id, line=int(match[1]))


@lru_cache(maxsize=2048)
def compile_chunk(entry_id: str, source: str) -> str:
    """Bytecode (latin-1 text) of a typed-Lua source; cached. Raises ProgramError with the line.

    The bytecode never leaves this OS process and never comes from outside it (docs/pitfalls.md#bytecode).
    """
    try:
        return _compile(erase(source), "=" + entry_id, False)
    except ProgramError as error:
        raise ProgramError(str(error), entry_id=entry_id, line=error.line) from None


@cache
def kernel_code(name: str, version: int) -> str:
    """Bytecode (latin-1 text) of a file of a version of the kernel, or of its index."""
    text = index_text() if name == INDEX else kernel_file(name, version).read_text("utf-8")
    return _compile(text, f"=[kernel]/{name}", True)


@cache
def _stacks_text() -> str:
    return to_lua_text(STACKS.read_text("utf-8"))


def kernel_file(name: str, version: int) -> Path:
    """The file of a version: what a later one rewrote stands as it was in the folder of the last that had it."""
    kept = (KERNEL / f"v{each}" / f"{name}.lua" for each in range(version, NEWEST))
    return next((path for path in kept if path.exists()), KERNEL / f"{name}.lua")


def index_text() -> str:
    """What kernel/later.lua reads of `engine.modules`, as Lua: the file of each name that is looked for, and sets."""
    later = [(name, file) for name, file in modules.FILES.items() if not file.core]
    parts = {
        "names": {each: name for name, file in later for each in file.names},
        "globals": {each: name for name, file in later for each in (*file.libraries, *file.globals)},
        "libraries": dict.fromkeys(sorted(modules.LIBRARIES), True),
        "asking": dict.fromkeys(sorted(modules.ASKING), True),
    }
    return f"local k = ... k.index = {_as_lua(parts)}"


def _as_lua(value: Mapping[str, Any] | str | bool) -> str:
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{key} = {_as_lua(item)}' for key, item in value.items())} }}"
    return json.dumps(value)


@lru_cache(maxsize=2048)
def _likely(source: str) -> tuple[str, ...]:
    return tuple(name for name, file in modules.FILES.items() if file.words and file.words.search(source))


class State:
    """A Lua state with the kernel in it. One per unit; freed when dropped."""

    def __init__(
        self, kind: str, listed: Sequence[str], sources: Iterable[str], now: int, version: int = NEWEST
    ) -> None:
        self._version = version
        self._lua = _runtime()
        files = [file for module in dict.fromkeys(listed) for file in modules.MODULES.get(module, ())]
        held = {
            name: kernel_code(name, version) for name in (*files, *(n for source in sources for n in _likely(source)))
        }
        tables = self._lua.table_from(held), self._lua.table_from(files)
        load, self._k, ready = self._lua.execute(_LOADER, *tables, kind, now, version, name="=[kernel]")
        for name in (INDEX, *modules.CORE):
            load(kernel_code(name, version), name)
        ready()
        self._io = self._k["io"]
        self._go, self._place = self._io["go"], self._io["place"]
        self._gate = threading.Lock()
        self._runs = False
        self._interrupted = ""

    def interrupt(self, why: str) -> None:
        """Stop the run that is under way, and refuse all later ones; from any thread, and more than once.

        The state finds no memory at its next allocation, or at the next look of the count hook, which allocates:
        docs/pitfalls.md#pushes-beyond-the-memory-limit tells why nothing may be pushed meanwhile.
        """
        with self._gate:
            self._interrupted = self._interrupted or why
            if self._runs:
                self._lua.set_max_memory(NOTHING)

    @property
    def interrupted(self) -> str:
        """Why the state was interrupted, or ""."""
        return self._interrupted

    def let_send(self, sends: int) -> None:
        """How many messages of one step are sent at once."""
        self._io["sends"] = sends

    def set_budget(self, instructions: int) -> None:
        """VM instructions per step."""
        self._k["set_budget"](instructions)

    def put(self, shape: list[int], values: list[Any], count: int, now: int) -> None:
        """Lay out the input of the next `run`."""
        split = len(shape)
        if split + len(values) <= MOST_ARGUMENTS:
            self._place(count, now, split, *shape, *values)
        else:
            self._place(count, now, split)
            self._io["input"] = self._lua.table_from(shape + values)

    def run(self, max_memory: int, answer: int = 0) -> Output:
        """Step (or go on with the answer to what was asked) under the memory limit.

        Pushes from the host run without the limit: docs/pitfalls.md#pushes-beyond-the-memory-limit. A small number
        is no push: it takes no memory.
        """
        output = self._run(max_memory, answer)
        while output[0] == CHUNK:
            self._io["chunk"] = kernel_code(self._io["chunk"], self._version)
            output = self._run(max_memory, 0)
        return output

    def _run(self, max_memory: int, answer: int) -> Output:
        if not self._enter(max_memory):
            return EXCEEDED, 0, (), ()
        try:
            result = self._go(answer)
        except LuaMemoryError:
            result = EXCEEDED, 0, 0
        except LuaError as error:
            return str(error), 0, (), ()
        finally:
            interrupted = self._leave()
        if interrupted:
            result = EXCEEDED, 0, 0
        if not isinstance(result, tuple):
            return str(result), 0, (), ()
        code, unread, split = result[:3]
        if split >= 0:
            return code, unread, result[3 : 3 + split], result[3 + split :]
        listed = list(self._io["output"].values())
        self._io["output"] = None
        return code, unread, listed[: -1 - split], listed[-1 - split :]

    def _enter(self, max_memory: int) -> bool:
        with self._gate:
            if self._interrupted:
                return False
            self._runs = True
            self._lua.set_max_memory(max_memory)
            return True

    def _leave(self) -> bool:
        with self._gate:
            self._runs = False
            self._lua.set_max_memory(0)
            return bool(self._interrupted)

    def exceeded(self) -> str:
        """Which limit was exceeded: "instructions", "memory" or ""."""
        return str(self._k["exceeded"] or "")

    def stacks(self, most: int, alike: int, room: int) -> str:
        """Where the coroutines stand, as JSON of one character a byte; never while a run is under way."""
        return str(self._lua.execute(_stacks_text(), self._k, most, alike, room, name="=[kernel]/stacks"))

    def tidy(self) -> None:
        """Free what loading left: a fifth of an idle unit, in about 40 us."""
        self._lua.gccollect()

    def memory(self) -> int:
        """Bytes in use."""
        return int(self._lua.get_memory_used())
