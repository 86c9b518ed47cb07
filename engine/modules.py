"""The index of the kernel: its files, when each is loaded, what each defines, and the modules that entries list.

The one place beside its own file that a new file of `engine/lua/kernel` touches. `engine.lua.state` loads by it and
hands it to Lua (`kernel/later.lua`), the registry checks `modules:` by it, `engine.testing` offers by it. For a module:

1. A file of `engine/lua/kernel`, which sets `k.modules.NAME`.
2. Its line here, under the file's name.

What it needs of Python within a step is a file of `engine/lua/services`, which stands in no list. What it asks of hosts
is an `Ask`, answered by a file of `engine/asks`, which nodes are given (`wippy_console/worker`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class File:
    """A file of the kernel. `names` are the fields of its private table `k` that it defines.

    Of user code it defines `libraries`, which `require` finds unlisted, and other `globals`. `words` of a source make
    it ready in the state before code runs: code under a native call can't wait for the host to load it.
    """

    core: bool = False
    module: str = ""
    replays: bool = True
    names: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    globals: tuple[str, ...] = ()
    words: re.Pattern[str] | None = None


def _core(libraries: str = "") -> File:
    """Loaded into every state, in the order of the index."""
    return File(core=True, libraries=tuple(libraries.split()))


def _module(name: str, names: str = "", *, replays: bool = True) -> File:
    """Loaded where an entry lists the module, which may have several files; what asks the host can't be replayed."""
    return File(module=name, names=tuple(names.split()), replays=replays)


def _later(names: str = "", *, libraries: str = "", globals: str = "", words: str = "") -> File:
    """Loaded when one of its names is first asked for, or by another file."""
    pattern = re.compile(words) if words else None
    return File(
        names=tuple(names.split()), libraries=tuple(libraries.split()), globals=tuple(globals.split()), words=pattern
    )


STRINGS = r"\bstring\b|[:.]\s*(?:byte|char|find|format|gmatch|gsub|len|lower|match|rep|reverse|sub|upper)\b"

FILES: Mapping[str, File] = {
    "boot": _core(),
    "codec": _core(),
    "later": _core(),
    "scheduler": _core(),
    "channel": _core(),
    "mailbox": _core(libraries="process"),
    "waits": _core(),
    "unit": _core(),
    "base64": _module("base64"),
    "bus": _module("events", replays=False),
    "crypto": _module("crypto"),
    "ctx": _module("ctx"),
    "duration": _module("time", "time"),
    "env": _module("env", replays=False),
    "funcs": _module("funcs"),
    "hash": _module("hash"),
    "http": _module("http", replays=False),
    "http_client": _module("http_client", replays=False),
    "json": _module("json"),
    "logger": _module("logger"),
    "registry": _module("registry", replays=False),
    "security": _module("security", replays=False),
    "store": _module("store", replays=False),
    "sql_values": _module("sql", "sql_parts", replays=False),
    "sql_text": _module("sql", replays=False),
    "sql_builder": _module("sql", replays=False),
    "sql": _module("sql", replays=False),
    "time": _module("time"),
    "uuid": _module("uuid"),
    "workflow": _module("workflow"),
    "yaml": _module("yaml"),
    "std_values": _later(
        globals="type tostring tonumber assert error select getmetatable setmetatable rawequal rawget rawset package "
        "_VERSION",
        words=r"\b(?:type|to(?:string|number)|assert|error|select|[gs]etmetatable|raw\w+|package)\b",
    ),
    "std_pairs": _later(globals="pairs ipairs next", words=r"\b(?:i?pairs|next)\b"),
    "std_string": _later(libraries="string", words=STRINGS),
    "std_gsub": _later(words=STRINGS),
    "pattern": _later("pattern", words=r"[:.]\s*(?:find|gmatch|gsub|match)\b"),
    "std_table": _later(libraries="table", globals="unpack", words=r"\b(?:table|unpack)\b"),
    "std_math": _later(libraries="math", words=r"\bmath\b"),
    "std_os": _later(libraries="os", words=r"\bos\b"),
    "coroutines": _later(
        "xpcall pause random_seed", libraries="coroutine", globals="pcall xpcall", words=r"\b(?:x?pcall|coroutine)\b"
    ),
    "errors": _later(
        "make_error failure invalid clean_stack error_boundary_message normalise copied returned_error limit_failure",
        libraries="errors",
        words=r"\berrors\b",
    ),
    "select": _later(libraries="channel", words=r"\bchannel\b"),
    "payload": _later("payload", libraries="payload", words=r"\bpayload\s*\."),
    "process": _later("spawning", words=r"\bprocess\s*\.\s*(?!inbox|pid|send)\w+"),
    "spawner": _later(words=r"\bprocess\s*\.\s*with_"),
    "listen": _later("listen unlisten", globals="subscribe unsubscribe", words=r"\b(?:un)?(?:listen|subscribe)\b"),
    "log": _later("log", globals="print", words=r"\bprint\b"),
    "layout": _later(words=r"\btime\b(?s:.*)[:.]\s*(?:format\w*|parse)\b"),
    "codecs": _later("codecs", words=r"\b(?:json|yaml)\b|[:.]\s*transcode\b"),
    "stream": _later("stream"),
    "pbkdf2": _later("pbkdf2", words=r"\bpbkdf2\b"),
    "access": _later("allowed must_be_allowed permitted_target reference refuse_reserved security_state"),
    "message": _later("message raw_payloads"),
    "events": _later("open_events raise_event take_event unit_options fail"),
    "upgrade": _later("upgrade put_upgraded"),
}
"""By the file's name. The order counts in the core, and among the files of one module."""

CORE = tuple(name for name, file in FILES.items() if file.core)

MODULES: Mapping[str, tuple[str, ...]] = {
    file.module: tuple(name for name, other in FILES.items() if other.module == file.module)
    for file in FILES.values()
    if file.module
}
"""What entries may list, and `require` finds then, with the files of each."""

ASKING = frozenset(file.module for file in FILES.values() if not file.replays)
"""Modules that ask the host: not for workflows, since no replay could repeat its answers."""

LIBRARIES = frozenset(library for file in FILES.values() for library in file.libraries)
"""What `require` finds without being listed."""
