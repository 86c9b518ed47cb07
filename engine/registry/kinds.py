"""What each kind of entry looks like (docs/lua.md#kinds), as JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.registry.words import names, nearest
from engine.security.conditions import OPERATORS

Schema = Mapping[str, Any]

MALFORMED, FOREIGN, KNOWN = "malformed", "foreign", "known"
_WELL_FORMED = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*")

TEXT: Schema = {"type": "string"}
NAME: Schema = {"type": "string", "minLength": 1}
REFERENCE: Schema = {"type": "string", "minLength": 1}
FLAG: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
RATE: Schema = {"type": "number", "minimum": 0}
DURATION: Schema = {"type": ["string", "number"], "format": "duration", "minimum": 0}
TEXTS: Schema = {"type": "array", "items": NAME}
MODE: Schema = {"type": ["string", "integer"], "pattern": "^0?[0-7]{3}$", "minimum": 0}
FREE: Schema = {}
_WORD = "[A-Za-z_][A-Za-z0-9_]{0,62}"
_COLUMN: Schema = {"type": "string", "pattern": f"^{_WORD}$"}
_TABLE: Schema = {"type": "string", "pattern": rf"^({_WORD}\.)?{_WORD}$"}


def mapping(*required: str, **properties: Schema) -> Schema:
    """A mapping with these fields; another one is a warning, since hosts ignore what they don't know."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def one_of(*words: str) -> Schema:
    """Text that is one of the words."""
    return {"type": "string", "enum": list(words)}


SECURITY = mapping(actor=mapping("id", id=NAME, meta={"type": "object"}), groups=TEXTS, policies=TEXTS)
LIFECYCLE = mapping(
    auto_start=FLAG,
    start_timeout=DURATION,
    stop_timeout=DURATION,
    stable_threshold=DURATION,
    requires=TEXTS,
    depends_on=TEXTS,
    startup=one_of("required", "optional"),
    restart=mapping(
        initial_delay=DURATION,
        max_delay=DURATION,
        backoff_factor={"type": "number", "minimum": 1},
        jitter={"type": "number", "minimum": 0, "maximum": 1},
        max_attempts=COUNT,
    ),
    security=SECURITY,
)
POOL = mapping(
    type=one_of("inline", "lazy", "static", "adaptive"),
    size=COUNT,
    workers=COUNT,
    buffer=COUNT,
    max_size=COUNT,
    warm_start=FLAG,
)
_KEYS = "api_key api_key_file api_key_env value_from_env"
AUTH: Schema = {
    **mapping(
        type=one_of("none", "api_key", "mtls"),
        **dict.fromkeys(names(_KEYS + " cert_file key_file cert_pem key_pem cert_pem_env key_pem_env"), NAME),
    ),
    "allOf": [
        {
            "if": {"properties": {"type": {"const": "api_key"}}, "required": ["type"]},
            "then": {"x-one-of": [[name] for name in names(_KEYS)]},
        },
        {
            "if": {"properties": {"type": {"const": "mtls"}}, "required": ["type"]},
            "then": {
                "allOf": [
                    {"x-one-of": [[f"{part}_file"], [f"{part}_pem"], [f"{part}_pem_env"]]} for part in ("cert", "key")
                ]
            },
        },
    ],
}
TLS = mapping(enabled=FLAG, ca_file=NAME, server_name=NAME, insecure_skip_verify=FLAG)
_WORKER_OPTIONS = mapping(
    **dict.fromkeys(
        names(
            "max_concurrent_activity_execution_size max_concurrent_workflow_task_execution_size "
            "max_concurrent_local_activity_execution_size max_concurrent_session_execution_size "
            "max_concurrent_activity_task_pollers max_concurrent_workflow_task_pollers"
        ),
        COUNT,
    ),
    **dict.fromkeys(
        names(
            "worker_activities_per_second worker_local_activities_per_second task_queue_activities_per_second "
            "max_activities_per_second max_task_queue_activities_per_second"
        ),
        RATE,
    ),
    **dict.fromkeys(
        names(
            "sticky_schedule_to_start_timeout worker_stop_timeout stop_timeout deadlock_detection_timeout "
            "deadlock_timeout max_heartbeat_throttle_interval default_heartbeat_throttle_interval"
        ),
        DURATION,
    ),
    **dict.fromkeys(
        names(
            "enable_logging_in_replay enable_session_worker disable_workflow_worker local_activity_worker_only "
            "disable_eager_activities disable_registration_aliasing use_versioning use_build_id_for_versioning"
        ),
        FLAG,
    ),
    identity=TEXT,
    deployment_name=TEXT,
    build_id=TEXT,
    build_id_env=NAME,
    default_versioning_behavior=one_of("pinned", "auto_upgrade"),
)

WORKER_OPTIONS: Schema = {**_WORKER_OPTIONS, "x-open": True}
"""Open: Temporal SDKs grow options, so only a name close to a known one is worth a warning."""

SOURCE: Schema = {"type": "string", "minLength": 1}
METHOD: Schema = {"type": "string", "format": "identifier"}
CALLABLE: Schema = {"type": "string", "format": "callable"}
IMPORTS: Schema = {"type": "object", "additionalProperties": REFERENCE, "x-keys": "alias"}
_CODE: Mapping[str, Schema] = {"source": SOURCE, "modules": TEXTS, "imports": IMPORTS}


def _limits(instructions: int, memory: int, less: str) -> Schema:
    """Limits of an entry's own, up to these; `less` says what to do instead of asking for more."""
    return mapping(
        instructions={"type": "integer", "minimum": 100_000, "maximum": instructions, "x-hint": less},
        memory={"type": "integer", "minimum": 1, "maximum": memory, "x-hint": less},
    )


LIMITS = _limits(1_000_000_000, 512, "take the work in parts: each wait, such as time.sleep('1ms'), begins a new step")
WORKFLOW_LIMITS = _limits(100_000_000, 256, "leave the work to a function, which may have 1000000000 and 512 MiB")

PATTERNS: Schema = {"type": ["string", "array"], "minLength": 1, "minItems": 1, "items": NAME}
_POLICY: Mapping[str, Schema] = {
    "actions": PATTERNS,
    "resources": PATTERNS,
    "effect": one_of("allow", "deny"),
    "expression": NAME,
    "conditions": {
        "type": "array",
        "items": mapping("field", "operator", field=NAME, operator=one_of(*OPERATORS), value=FREE, value_from=NAME),
    },
}
TOKEN_STORE = mapping(
    store=REFERENCE,
    token_length={"type": "integer", "minimum": 16, "maximum": 1024},
    default_expiration={"type": ["string", "number"], "format": "lifetime", "exclusiveMinimum": 0},
    token_key=NAME,
    token_key_env=NAME,
)

_DB_POOL = mapping(max_open={"type": "integer", "minimum": 0, "maximum": 100}, max_idle=COUNT, max_lifetime=DURATION)
_DB_BYTES: Schema = {"type": "integer", "minimum": 65536}
_NUMBER: Schema = {"type": ["integer", "string"], "pattern": "^[0-9]{1,6}$", "minimum": 0}
_PORT: Schema = {"type": ["integer", "string"], "minimum": 1, "maximum": 65535, "pattern": "^[0-9]{1,5}$"}
_POSTGRES: Schema = {
    **mapping(
        **dict.fromkeys(names("host database username host_env port_env database_env username_env password_env"), NAME),
        port=_PORT,
        password={"x-secret": "password_env"},
        pool=_DB_POOL,
        options=mapping(
            sslmode=one_of("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
            target_session_attrs=one_of("any", "read-write", "read-only", "primary", "standby", "prefer-standby"),
            channel_binding=one_of("require", "prefer", "disable"),
            **dict.fromkeys(names("sslrootcert sslcert sslkey application_name"), NAME),
            **dict.fromkeys(
                names("connect_timeout keepalives keepalives_idle keepalives_interval keepalives_count"), _NUMBER
            ),
        ),
        lifecycle=LIFECYCLE,
    ),
    "allOf": [{"x-one-of": [[field], [f"{field}_env"]]} for field in ("host", "database", "username")],
}


def _known(*fields: str, **nested: Schema) -> Schema:
    """Which fields a mapping may have; what stands in them, and whether it is one, `engine.registry.hooks` reads."""
    return {"properties": {**dict.fromkeys(fields, FREE), **nested}, "additionalProperties": False}


_DOORS: Mapping[str, Schema] = {
    "auth": _known(
        hmac=_known(*names("header secret_env algorithm encoding prefix timestamp_header tolerance")),
        token=_known("header", "secret_env"),
        basic=_known("username", "password_env"),
    ),
    "rate": _known("requests", "window"),
    "max_body": FREE,
}
WEBHOOK = mapping(
    "path",
    path=TEXT,
    **_DOORS,
    **dict.fromkeys(names("method starts signal key search workflow_id payload schema id_header wait"), FREE),
)
"""An item of `meta.webhooks`."""

_PEM: Schema = {"type": "string", "if": {"pattern": "^file://"}, "else": {"x-secret": "key_env"}}
_HTTP: Mapping[str, Schema] = {
    "http.service": mapping(
        addr=TEXT,
        timeouts=mapping(read=DURATION, write=DURATION, idle=DURATION),
        host=mapping(buffer_size=COUNT, worker_count=COUNT),
        network=TEXT,
        tls=mapping(
            **dict.fromkeys(names("mode cert cert_env key_env client_ca client_ca_env client_auth"), TEXT), key=_PEM
        ),
        lifecycle=LIFECYCLE,
    ),
    "http.router": mapping(
        prefix=TEXT,
        middleware=TEXTS,
        options={"type": "object"},
        post_middleware=TEXTS,
        post_options={"type": "object"},
        **_DOORS,
    ),
    "http.endpoint": mapping(
        *names("method path func"), method=NAME, path=NAME, func=REFERENCE, **_DOORS, timeout=FREE, id_header=FREE
    ),
}

SCHEMAS: Mapping[str, Schema] = {
    "function.lua": mapping("source", **_CODE, method=METHOD, pool=POOL, limits=LIMITS, security=SECURITY),
    "function.python": mapping("callable", callable=CALLABLE, pool=POOL, security=SECURITY),
    "process.lua": mapping("source", **_CODE, method=METHOD, limits=LIMITS, security=SECURITY),
    "workflow.lua": mapping("source", **_CODE, method=METHOD, limits=WORKFLOW_LIMITS),
    "library.lua": mapping("source", **_CODE),
    "module.lua": mapping("source", **_CODE),
    "process.host": mapping(
        host=mapping(
            workers=COUNT,
            queue_size=COUNT,
            local_queue_size=COUNT,
            max_processes=COUNT,
            max_memory=COUNT,
            max_pending=COUNT,
            limits=mapping(instructions=COUNT, memory=COUNT),
        ),
        lifecycle=LIFECYCLE,
    ),
    "process.service": mapping(
        "process", "host", process=REFERENCE, host=REFERENCE, input={"type": "array"}, lifecycle=LIFECYCLE
    ),
    "temporal.client": mapping(
        address=NAME,
        namespace=NAME,
        tq_prefix=TEXT,
        connection_timeout=DURATION,
        keep_alive_time=DURATION,
        keep_alive_timeout=DURATION,
        auth=AUTH,
        tls=TLS,
        health_check=mapping(enabled=FLAG, interval=DURATION),
        lifecycle=LIFECYCLE,
    ),
    "temporal.worker": mapping(
        "client", "task_queue", client=REFERENCE, task_queue=NAME, worker_options=WORKER_OPTIONS, lifecycle=LIFECYCLE
    ),
    "env.variable": mapping(
        variable={"type": "string", "pattern": "^[A-Za-z0-9_]+$"},
        storage=REFERENCE,
        default=TEXT,
        readonly=FLAG,
        read_only=FLAG,
    ),
    "env.storage.memory": mapping(),
    "env.storage.os": mapping(),
    "env.storage.file": mapping("file_path", file_path=NAME, auto_create=FLAG, file_mode=MODE, dir_mode=MODE),
    "env.storage.static": mapping("values", values={"type": "object", "additionalProperties": TEXT}),
    "env.storage.router": mapping("storages", storages={**TEXTS, "minItems": 1}),
    "security.policy": mapping("policy", policy=mapping("actions", "resources", "effect", **_POLICY), groups=TEXTS),
    "security.policy.expr": mapping(
        "policy",
        policy=mapping("actions", "resources", "effect", "expression", **_POLICY),
        groups=TEXTS,
    ),
    "security.token_store": TOKEN_STORE,
    "db.sql.sqlite": mapping(
        "file",
        file=NAME,
        pool=_DB_POOL,
        options={"type": "object"},
        max_bytes=_DB_BYTES,
        read_only=FLAG,
        lifecycle=LIFECYCLE,
    ),
    "db.sql.postgres": _POSTGRES,
    "db.django": mapping(pool=_DB_POOL, max_bytes=_DB_BYTES, lifecycle=LIFECYCLE),
    "store.memory": mapping(
        max_size={**COUNT, "maximum": 1_000_000},
        max_bytes={**COUNT, "maximum": 1 << 29},
        cleanup_interval=DURATION,
        lifecycle=LIFECYCLE,
    ),
    "store.sql": mapping(
        "database",
        database=REFERENCE,
        table_name=_TABLE,
        id_column_name=_COLUMN,
        payload_column_name=_COLUMN,
        expire_column_name=_COLUMN,
        cleanup_interval=DURATION,
        lifecycle=LIFECYCLE,
    ),
    **_HTTP,
    **{
        kind: {"type": "object"}
        for kind in names(
            "registry.entry contract.definition contract.binding terminal.host function.lua.bc process.lua.bc "
            "workflow.lua.bc library.lua.bc module.lua.bc"
        )
    },
}
"""The schema of `data` per known kind."""

LUA_FUNCTION, PYTHON_FUNCTION = "function.lua", "function.python"
FUNCTIONS = frozenset({LUA_FUNCTION, PYTHON_FUNCTION})
"""Kinds that `funcs.call` runs, whatever they are written in."""
EXECUTABLE = FUNCTIONS | {"process.lua", "workflow.lua"}
LIBRARIES = frozenset({"library.lua", "module.lua"})
LUA = EXECUTABLE - {PYTHON_FUNCTION} | LIBRARIES
IMPORTABLE = LIBRARIES | {LUA_FUNCTION}
ACTING = FUNCTIONS | {"process.lua"}
"""Kinds whose units run under the `security` of their entry."""
DATABASES = frozenset({"db.sql.sqlite", "db.sql.postgres", "db.django"})
FILLED = frozenset({"temporal.client", "temporal.worker"})
"""Kinds whose hosts replace placeholders wherever they stand, also where a number is wanted."""
ROUTES = ("client", "task_queue", "tq_prefix")
"""Fields of those by which runs find their queue: all that start one, and every replay, must name it alike."""
KEPT_AS_WRITTEN = "registry.entry"
POLICIES = frozenset({"security.policy", "security.policy.expr"})
OUR_FAMILIES = ("env.", "security.", "contract.")
DEFAULT_METHOD = "main"


@dataclass(frozen=True, slots=True)
class Standing:
    """What a kind's name is to us: MALFORMED, FOREIGN or KNOWN; `near` is the known kind that it looks like."""

    rank: str
    near: str | None = None


def has_placeholders(kind: str) -> bool:
    """Whether `${env:NAME}` in entries of the kind is filled in: something here reads their fields."""
    return kind in SCHEMAS and kind != KEPT_AS_WRITTEN


def standing(kind: str) -> Standing:
    """Tell a known kind from a foreign one, which loads and is never started (docs/lua.md#kinds)."""
    if kind in SCHEMAS:
        return Standing(KNOWN)
    if not _WELL_FORMED.fullmatch(kind):
        return Standing(MALFORMED, nearest(kind, SCHEMAS))
    near = nearest(kind, SCHEMAS)
    ours = near is None and (kind.startswith(OUR_FAMILIES) or kind.endswith(".lua.bc"))
    return Standing(KNOWN if ours else FOREIGN, near)
