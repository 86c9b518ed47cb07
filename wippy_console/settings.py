"""Django settings. What varies between installations comes from `wippy_console.env`."""

from __future__ import annotations

import logging
import sys
from datetime import timedelta
from typing import Any

import dj_database_url
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from environs.exceptions import EnvError

from wippy_console.env import ROOT, is_importable, read_environment

try:
    ENVIRONMENT = read_environment()
except EnvError as error:
    raise ImproperlyConfigured(f"an environment variable is wrong: {error}") from error

DEBUG = ENVIRONMENT.debug
SECRET_KEY = ENVIRONMENT.secret_key
ALLOWED_HOSTS = list(ENVIRONMENT.allowed_hosts)
CSRF_TRUSTED_ORIGINS = list(ENVIRONMENT.trusted_origins)
ROOT_URLCONF = "wippy_console.urls"
ASGI_APPLICATION = "wippy_console.asgi.application"

INSTALLED_APPS = [
    # It is here for Django's own `runserver` alone, and costs every other command a quarter of a second.
    *(["daphne"] if "runserver" in sys.argv else []),
    "wippy_console",
    "django.contrib.admin.apps.SimpleAdminConfig",  # urls.py finds what is registered, when there are pages
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "channels",
    "csp",
    "django_htmx",
    "axes",
]

# Apps of the installation: importable from the folders named, before anything of the same name elsewhere.
sys.path[:0] = [str(path) for path in ENVIRONMENT.apps_path if str(path) not in sys.path]
if unknown := [name for name in ENVIRONMENT.apps if not is_importable(name)]:
    looked = ", ".join(map(str, ENVIRONMENT.apps_path))
    raise ImproperlyConfigured(
        f"WIPPY_APPS: there is no Python package {', '.join(unknown)}; WIPPY_APPS_PATH names the folders that hold"
        f" apps, besides what is installed in .venv (looked in {looked})"
    )
INSTALLED_APPS += ENVIRONMENT.apps

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "wippy_console.http.middleware.PrivateMiddleware",
    "wippy_console.http.middleware.LoginMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "wippy_console.http.middleware.FeedCursorMiddleware",
    "wippy_console.http.middleware.HtmxLoginMiddleware",
    "wippy_console.http.middleware.RefusedMiddleware",
    "wippy_console.http.middleware.AddressMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "wippy_console.http.context_processors.console",
            ]
        },
    }
]

# -- data ------------------------------------------------------------------------------------------


def sqlite_database() -> dict[str, Any]:
    """Without IMMEDIATE most contended transactions fail with "database is locked", whatever the timeout."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": ENVIRONMENT.data / "console.sqlite3",
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
        },
    }


def given_database(url: str) -> dict[str, Any]:
    """Read DATABASE_URL; connections are checked before use, so that a restarted database is survived."""
    return {**dj_database_url.parse(url, conn_max_age=60, conn_health_checks=True)}


DATABASES = {"default": given_database(ENVIRONMENT.database_url) if ENVIRONMENT.database_url else sqlite_database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Sockets read the feed's table (docs/pitfalls.md#a-redis-layers-idle-sockets), so there is no channel layer.
_OWN_CACHE: dict[str, Any] = {
    "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
    "OPTIONS": {"MAX_ENTRIES": 100_000},  # many callers must not push out each other's counts
}
CACHES: dict[str, dict[str, Any]] = {"default": _OWN_CACHE, "process": {**_OWN_CACHE, "LOCATION": "process"}}
if ENVIRONMENT.redis_url:
    from redis.backoff import NoBackoff  # costs who has no Redis a fifth of a second
    from redis.retry import Retry

    CACHES["default"] = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": ENVIRONMENT.redis_url,
        "KEY_PREFIX": "wippy",
        # redis-py's own retries take seconds; one at once finds a server that was restarted
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2, "retry": Retry(NoBackoff(), 1)},
    }

# -- people ----------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = ["wippy_console.services.log_ins.Throttle", "django.contrib.auth.backends.ModelBackend"]
AXES_HANDLER = "wippy_console.services.log_ins.Failures"
AXES_CLIENT_IP_CALLABLE = "wippy_console.services.log_ins.address"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # else whoever goes on guessing would lock others out for ever
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True  # the audit tells of log-ins
AXES_SENSITIVE_PARAMETERS = [
    "username",
    "csrfmiddlewaretoken",
    "next",
    "typed",
    "typed_by",
]  # nothing of a form is kept
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
# Cookies know no ports: without it, two copies side by side on one machine would log each other out.
SESSION_COOKIE_NAME = f"wippy_session_{ENVIRONMENT.port}"
CSRF_COOKIE_NAME = f"wippy_csrf_{ENVIRONMENT.port}"
CSRF_FAILURE_VIEW = "wippy_console.views.session.stale"

LANGUAGE_CODE = "en"
USE_TZ = True
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000  # a list in a form has some for each of its items
TIME_ZONE = "UTC"

# -- static files: served by asgi.py straight from where they lie, so there is no collecting -------

STATIC_URL = "/static/"
STATICFILES_DIRS = [ROOT / "static"]

# -- security --------------------------------------------------------------------------------------

SECURE = ENVIRONMENT.secure
SESSION_COOKIE_SECURE = SECURE
CSRF_COOKIE_SECURE = SECURE
SECURE_SSL_REDIRECT = SECURE
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
# TLS ends at the proxy in front, which must set this header itself.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
# Whether all sub-domains are on https, and whether browsers may preload that, is not ours to say.
# Our log-in form says itself that it is locked.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021", "axes.W002"]
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        # CodeMirror adds its style element with the nonce; templates hold no inline style or script.
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# -- Temporal, and where this installation keeps its files -------------------------------------------

WIPPY_DATA = ENVIRONMENT.data
WIPPY_PORT = ENVIRONMENT.port
WIPPY_BIND = ENVIRONMENT.bind
LUA_PUBLISHES = ENVIRONMENT.lua_publishes
STRICT_SECURITY = ENVIRONMENT.strict_security
STEP_SECONDS = ENVIRONMENT.step_seconds
PYTHON_THREADS = ENVIRONMENT.python_threads
HTTP_ALLOW = ENVIRONMENT.http_allow
HOOKS_DAYS = ENVIRONMENT.hooks_days
METRICS_TOKEN = ENVIRONMENT.metrics.token
METRICS_OPEN = ENVIRONMENT.metrics.open
METRICS_LISTEN = ENVIRONMENT.metrics.listen
PYTHON_FUNCTIONS = ENVIRONMENT.python_functions
WIPPY_APPS = ENVIRONMENT.apps
TEMPORAL = ENVIRONMENT.temporal
TEMPORAL_ADDRESS = TEMPORAL.address
TEMPORAL_NAMESPACE = TEMPORAL.namespace
TEMPORAL_PATIENCE = 2.0  # seconds that a page waits for what it reads of a run

# -- notifications: where links lead, what is sent to, and the mail server ----------------------------

WIPPY_URL = ENVIRONMENT.url or f"http://{ENVIRONMENT.bind}:{ENVIRONMENT.port}"
NOTIFY_ALLOW = ENVIRONMENT.notify_allow
EMAIL_HOST = ENVIRONMENT.mail.host
EMAIL_PORT = ENVIRONMENT.mail.port
EMAIL_HOST_USER = ENVIRONMENT.mail.user
EMAIL_HOST_PASSWORD = ENVIRONMENT.mail.password
EMAIL_USE_TLS = ENVIRONMENT.mail.tls
EMAIL_USE_SSL = ENVIRONMENT.mail.ssl
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = ENVIRONMENT.mail.sender


def _in_one_line(record: logging.LogRecord) -> bool:
    """What strangers send is told without a traceback: it is no fault of ours, and they could fill the log."""
    if record.name.startswith("django.security"):
        record.exc_info = None
    return True


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"in_one_line": {"()": "django.utils.log.CallbackFilter", "callback": _in_one_line}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["in_one_line"]}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "wippy_console": {"level": "INFO"},
        "engine": {"level": "INFO"},
        "axes": {"level": "ERROR"},  # services/log_ins.py tells of locks
        "django": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "django.request": {"level": "ERROR"},  # a 404 is the browser's news, not the operator's
    },
}
