"""What the environment says, read once and typed. README.md lists the variables."""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from environs import Env, validate
from environs.exceptions import EnvError

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_DATA = ROOT / "var"
ADDRESS_FILE = "temporal.address"
CHOICE_FILE = "examples.choice"
EXAMPLE_APP = "shop"
EXAMPLE_PATH = ROOT / "examples" / EXAMPLE_APP
KEEPERS = ("up", "web", "worker", "migrate")
"""Commands that write into the data folder; others write files for whoever calls them."""
OLDER_FILES = ("*.sqlite3*", "logs/*.log*")
"""Of versions that let everybody on the machine read them."""
PORTS = validate.Range(1, 65535)
OWN_SECRETS = ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "PGPASSWORD", "EMAIL_HOST_PASSWORD", "WIPPY_METRICS_TOKEN")
CREDENTIALS = ("TEMPORAL_API_KEY",)


@dataclass(frozen=True)
class TemporalEnv:
    """Where Temporal is and how to get in. `embedded` is false when the address was given from outside."""

    address: str
    embedded: bool
    port: int
    namespace: str
    api_key: str
    tls: bool
    client_cert: str
    client_key: str
    server_ca: str


@dataclass(frozen=True)
class MailEnv:
    """The mail server, named as Django's settings are; no host: no e-mail is sent."""

    host: str
    port: int
    user: str
    password: str
    tls: bool
    ssl: bool
    sender: str


@dataclass(frozen=True)
class MetricsEnv:
    """Who may read the figures: with the token, or everybody; and where a worker offers them (host, port)."""

    token: str
    open: bool
    listen: tuple[str, int] | None


@dataclass(frozen=True)
class Environment:
    """Every variable that the product reads."""

    data: Path
    port: int
    bind: str
    debug: bool
    secure: bool
    secret_key: str
    allowed_hosts: tuple[str, ...]
    trusted_origins: tuple[str, ...]
    database_url: str
    redis_url: str
    lua_publishes: tuple[str, ...]
    strict_security: bool
    step_seconds: float
    python_threads: int
    python_functions: tuple[str, ...]
    apps: tuple[str, ...]
    apps_path: tuple[Path, ...]
    examples: bool | None
    url: str
    notify_allow: tuple[str, ...]
    http_allow: tuple[str, ...]
    hooks_days: float
    metrics: MetricsEnv
    mail: MailEnv
    temporal: TemporalEnv


def read_environment() -> Environment:
    """Read the variables; makes the data folder and the secret key when they are not there yet."""
    env = Env()
    data = Path(env.str("WIPPY_DATA", "") or DEFAULT_DATA).expanduser().resolve()
    keep_private(data)
    examples = env.bool("WIPPY_EXAMPLES", None)
    apps = read_apps(env, with_examples=wants_examples(examples, data))
    return Environment(
        data=data,
        port=env.int("PORT", 8000, validate=PORTS),
        bind=env.str("WIPPY_BIND", "127.0.0.1"),
        debug=env.bool("WIPPY_DEBUG", False),
        secure=env.bool("WIPPY_SECURE", False),
        secret_key=env.str("SECRET_KEY", "") or stored_secret(data / "secret_key"),
        allowed_hosts=tuple(env.list("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"])),
        trusted_origins=tuple(env.list("CSRF_TRUSTED_ORIGINS", [])),
        database_url=env.str("DATABASE_URL", ""),
        redis_url=env.str("REDIS_URL", ""),
        lua_publishes=tuple(env.list("WIPPY_LUA_PUBLISHES", [])),
        strict_security=env.bool("WIPPY_STRICT_SECURITY", False),
        step_seconds=env.float("WIPPY_STEP_SECONDS", 5.0, validate=validate.Range(0.1)),
        python_threads=env.int("WIPPY_PYTHON_THREADS", 16, validate=validate.Range(1, 1000)),
        python_functions=tuple(env.list("WIPPY_PYTHON_FUNCTIONS", [f"{package_of(name)}.*" for name in apps])),
        apps=apps,
        apps_path=(*folders(env.str("WIPPY_APPS_PATH", "")), EXAMPLE_PATH),
        examples=examples,
        url=env.str("WIPPY_URL", ""),
        notify_allow=tuple(env.list("WIPPY_NOTIFY_ALLOW", [])),
        http_allow=tuple(env.list("WIPPY_HTTP_ALLOW", [])),
        hooks_days=env.float("WIPPY_HOOKS_DAYS", 7.0, validate=validate.Range(0.01)),
        metrics=read_metrics(env),
        mail=read_mail(env),
        temporal=read_temporal(env, data),
    )


def keep_private(data: Path) -> None:
    """Make the data folder, and what is written into it, its owner's alone.

    A folder that was here already may be shared on purpose, and hold other things: a check warns of it.
    """
    if sys.argv[1:2] and sys.argv[1] in KEEPERS:
        os.umask(os.umask(0o077) | 0o077)
    if not data.exists():
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(PermissionError):  # another account made them
        if data == DEFAULT_DATA:
            data.chmod(0o700)
        for pattern in OLDER_FILES:
            for path in data.glob(pattern):
                path.chmod(0o600)


def read_apps(env: Env, *, with_examples: bool) -> tuple[str, ...]:
    """The Django apps to add. Unless that is said (empty is, too), the examples bring theirs along."""
    given = env.str("WIPPY_APPS", None)
    names = [EXAMPLE_APP] * with_examples if given is None else given.split(",")
    return tuple(dict.fromkeys(name.strip() for name in names if name.strip()))


def package_of(app: str) -> str:
    """The package of an app that may be named by its configuration, as shop.apps.ShopConfig."""
    module, _, name = app.rpartition(".")
    return module.removesuffix(".apps") if module and name[:1].isupper() else app


def folders(text: str) -> tuple[Path, ...]:
    """The folders of a list that is separated as PATH is."""
    return tuple(Path(each).expanduser().resolve() for each in text.split(os.pathsep) if each.strip())


def wants_examples(chosen: bool | None, data: Path) -> bool:
    """Whether the examples are here: by an option of `up`, the environment, or as `up` chose last (CHOICE_FILE).

    Else `up` brings them, and no other command does: a worker of another machine never asked for the shop.
    """
    for option, wanted in (("--no-examples", False), ("--examples", True)):
        if option in sys.argv:
            return wanted
    kept = data / CHOICE_FILE
    if chosen is not None:
        return chosen
    return kept.read_text() != "no" if kept.exists() else "up" in sys.argv[1:2]


def is_importable(name: str) -> bool:
    """Whether Python finds the module, or that of which it names a class; nothing of it runs, but its packages' own."""
    try:
        if find_spec(name) is not None:
            return True
        return "." in name and find_spec(name.rpartition(".")[0]) is not None
    except (ImportError, ValueError):
        return False


def read_metrics(env: Env) -> MetricsEnv:
    """Read how figures are offered; none are unless it is said."""
    host, _, port = env.str("WIPPY_METRICS_LISTEN", "").rpartition(":")
    if port and not (port.isdecimal() and int(port) <= 65535):
        raise EnvError(
            'Environment variable "WIPPY_METRICS_LISTEN" invalid: give an address and port, as 127.0.0.1:9464'
        )
    listen = (host.strip("[]") or "127.0.0.1", int(port)) if port else None
    return MetricsEnv(env.str("WIPPY_METRICS_TOKEN", ""), env.bool("WIPPY_METRICS_OPEN", False), listen)


def read_mail(env: Env) -> MailEnv:
    """Read how e-mail is sent."""
    tls, ssl = env.bool("EMAIL_USE_TLS", False), env.bool("EMAIL_USE_SSL", False)
    return MailEnv(
        host=env.str("EMAIL_HOST", ""),
        port=env.int("EMAIL_PORT", 465 if ssl else 587 if tls else 25, validate=PORTS),
        user=env.str("EMAIL_HOST_USER", ""),
        password=env.str("EMAIL_HOST_PASSWORD", ""),
        tls=tls,
        ssl=ssl,
        sender=env.str("EMAIL_FROM", "") or "wippy-console@localhost",
    )


def read_temporal(env: Env, data: Path) -> TemporalEnv:
    """Read Temporal's variables, named as Temporal's own tools name them."""
    port = env.int("TEMPORAL_PORT", 7233, validate=PORTS)
    given = env.str("TEMPORAL_ADDRESS", "")
    return TemporalEnv(
        address=given or stored_address(data, port),
        embedded=not given or env.bool("WIPPY_TEMPORAL_EMBEDDED", False),
        port=port,
        namespace=env.str("TEMPORAL_NAMESPACE", "") or "default",
        api_key=env.str("TEMPORAL_API_KEY", ""),
        tls=env.bool("TEMPORAL_TLS", False),
        client_cert=env.str("TEMPORAL_TLS_CLIENT_CERT_PATH", ""),
        client_key=env.str("TEMPORAL_TLS_CLIENT_KEY_PATH", ""),
        server_ca=env.str("TEMPORAL_TLS_SERVER_CA_CERT_PATH", ""),
    )


def stored_address(data: Path, port: int) -> str:
    """Return the address that `up` wrote for its embedded server, so that other commands find it."""
    try:
        return (data / ADDRESS_FILE).read_text().strip() or f"127.0.0.1:{port}"
    except FileNotFoundError:
        return f"127.0.0.1:{port}"


def stored_secret(path: Path) -> str:
    """Return the secret key in the file, made once; two starters at once agree on one key."""
    if not path.exists():
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # readable by its owner alone
        with open(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(64))
        publish_once(Path(draft), path)
    return path.read_text()


def publish_once(draft: Path, path: Path) -> None:
    """Give the complete draft its final name unless another process was first."""
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def variables_for_entries() -> dict[str, str]:
    """What `${env:NAME}` in entries may refer to: the process environment without the console's own secrets.

    Who may publish entries must not be able to send those to an address of theirs.
    """
    return {name: value for name, value in os.environ.items() if name not in OWN_SECRETS}


def variables_for_lua() -> dict[str, str]:
    """What Lua code may read of them, where an `env.variable` declares it: not the keys that only clients need."""
    return {name: value for name, value in variables_for_entries().items() if name not in CREDENTIALS}
