"""What the form of a new entry holds at first, by kind."""

from __future__ import annotations

MAIN = """local function main(input)
    return input
end

return { main = main }
"""
LIBRARY = """local M = {}

function M.hello(name)
    return "Hello, " .. name
end

return M
"""
_RUNS = "method: main\nmodules: []\n"
_FIELDS = {
    "workflow.lua": _RUNS,
    "function.lua": _RUNS,
    "function.python": "callable: my_app.functions:my_function\n",
    "process.lua": _RUNS,
    "library.lua": "modules: []\n",
    "module.lua": "modules: []\n",
    "process.host": "host:\n  max_processes: 1000\nlifecycle:\n  auto_start: true\n",
    "process.service": "process: app:my_process\nhost: app:processes\nlifecycle:\n  auto_start: true\n",
    "temporal.client": "namespace: default\nlifecycle:\n  auto_start: true\n",
    "temporal.worker": "client: app:temporal\ntask_queue: my-queue\nlifecycle:\n  auto_start: true\n",
    "env.variable": "variable: MY_VARIABLE\n",
    "http.service": "addr: ':8080'\nlifecycle:\n  auto_start: true\n",
    "http.router": "prefix: /my\nauth:\n  token:\n    secret_env: MY_TOKEN\nrate: 60/1m\n",
    "http.endpoint": "meta:\n  router: app:my_router\nmethod: POST\npath: /orders/{id}\nfunc: app:my_function\n",
}


def source(kind: str) -> str:
    """The Lua text; only kinds that have code get some."""
    if kind in ("library.lua", "module.lua"):
        return LIBRARY
    return MAIN if kind.endswith(".lua") else ""


def fields(kind: str) -> str:
    """The YAML text."""
    return _FIELDS.get(kind, "")


def is_suggested(text: str) -> bool:
    """Whether it is just what the form of some kind held at first."""
    return text in (MAIN, LIBRARY, *_FIELDS.values())
