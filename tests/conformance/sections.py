"""The sections of docs/conformance.md, and the Python tests of what Lua can't see from inside."""

from __future__ import annotations

SECTIONS = {
    1: "Registry files and entries",
    2: "Results and errors of every unit",
    3: "Coroutines and scheduling",
    4: "Pids",
    5: "`process`",
    6: "`channel`",
    7: "`funcs` and futures",
    8: "`time`",
    9: "`errors`",
    10: "`ctx`",
    11: "Small modules",
    12: "`security`",
    13: "`workflow`",
    14: "What differs inside a workflow",
    15: "Workflows: start, signal, exit",
    16: "Activities",
    17: "Errors across Temporal",
    18: "Temporal clients and workers",
    19: "Supervision",
}

PYTHON: dict[int, dict[str, str]] = {
    1: {
        "tests/engine/registry/test_tree.py": "files, single entries, `file://`, problems with file and line",
        "tests/engine/registry/test_fields.py": "fields of every kind",
        "tests/engine/registry/test_validate.py": "references, imports, modules",
        "tests/engine/registry/test_linking.py": "what an entry brings along",
        "tests/engine/registry/test_limits.py": "limits of an entry's own, and what is refused",
        "tests/engine/hosts/actor/test_own_limits.py": "such limits of functions and processes, and of their hosts",
        "tests/engine/hosts/temporal/test_own_limits.py": "such limits of runs, and that a run keeps them",
        "tests/engine/hosts/actor/test_pools.py": "bounds of pools, and that none deadlocks",
        "tests/engine/hosts/actor/test_options.py": "retries, backoff and timeouts of calls",
        "tests/engine/lua/test_stdlib.py": "globals and the standard library",
        "tests/engine/lua/test_sandbox.py": "what is kept out of reach",
        "tests/engine/lua/test_typed.py": "typed Lua",
        "tests/engine/lua/test_fuzz_typed.py": "typed programs behave like their untyped twins",
    },
    2: {
        "tests/engine/lua/test_unit_results.py": "what each ending of a body comes to",
        "tests/engine/lua/test_fuzz_values.py": "any value crosses, or is refused in words",
    },
    3: {
        "tests/engine/hosts/actor/test_fairness.py": "nobody starves",
        "tests/engine/lua/test_stdlib_strings.py": "blocking within the string library",
    },
    4: {"tests/engine/hosts/actor/test_node.py": "whose a pid is"},
    5: {
        "tests/engine/lua/test_unit_messages.py": "messages, events, waits",
        "tests/engine/hosts/actor/test_messages.py": "mailboxes and their bounds",
        "tests/engine/hosts/actor/test_exits.py": "monitors, links, terminate",
        "tests/engine/hosts/actor/test_names.py": "names",
        "tests/engine/hosts/actor/test_upgrade.py": "upgrades of processes",
    },
    7: {"tests/engine/hosts/actor/test_calls.py": "calls, timeouts, giving up"},
    8: {
        "tests/engine/lua/test_unit_time.py": "a hand-moved clock",
        "tests/engine/test_durations.py": "durations",
    },
    11: {
        "tests/engine/lua/test_unit_crypto.py": "where secrets come from, RSA keys, and what work costs",
        "tests/engine/lua/test_unit_modules.py": "modules on a hand-moved clock",
    },
    12: {
        "tests/engine/test_security.py": "what policies say, in any order; expressions",
        "tests/engine/registry/test_policies.py": "policies as entries, with field and line",
        "tests/engine/hosts/actor/test_security.py": "whom functions, processes and services act for; strictness",
        "tests/engine/hosts/temporal/test_security.py": "the header, pinned policies, replays",
        "tests/console/test_tokens.py": "tokens as rows",
    },
    14: {"tests/replay/test_replay.py": "recorded histories replay"},
    15: {
        "tests/engine/hosts/temporal/test_lifecycle.py": "start, cancel, terminate, upgrade",
        "tests/engine/hosts/temporal/test_messages.py": "signals, updates, queries",
        "tests/engine/hosts/temporal/test_options.py": "options of starts",
        "tests/engine/hosts/temporal/test_starts.py": "options of starts as the server shows them",
        "tests/interop/test_client.py": "a plain Temporal client",
        "tests/interop/test_cli.py": "the `temporal` command line",
        "tests/interop/test_children.py": "children and parents in Python",
        "tests/engine/hosts/temporal/test_routing.py": "which worker and which node",
        "tests/engine/hosts/temporal/test_requests.py": "requests between nodes of two versions",
        "tests/engine/hosts/temporal/test_seed.py": "the seed's samples",
        "tests/engine/hosts/temporal/test_crash.py": "crashes of a worker",
    },
    16: {
        "tests/engine/hosts/temporal/test_payloads.py": "values on the wire",
        "tests/interop/test_activities.py": "activities of a Python worker",
    },
    17: {"tests/engine/hosts/temporal/test_failures.py": "failures both ways"},
    18: {
        "tests/engine/hosts/temporal/test_clients.py": "settings of clients",
        "tests/engine/hosts/temporal/test_secure_clients.py": "TLS, certificates and API keys",
        "tests/console/test_worker_clients.py": "clients that fail and are mended at run time",
        "tests/engine/hosts/temporal/test_versioning.py": "builds of a deployment, options of workers",
        "tests/engine/hosts/temporal/test_limits.py": "limits of Temporal, said early",
        "tests/engine/hosts/temporal/test_bounds.py": "what the server would refuse",
    },
    19: {"tests/engine/hosts/actor/test_supervisor.py": "services and their restarts"},
}
"""Section to test modules, each with what it holds. A new one of these is named here."""
