"""Settings of a web or worker process that a test starts: the test session's database under its real name."""

import os

os.environ.setdefault("WIPPY_APPS", "shop")  # as tests/settings.py has it

from wippy_console.settings import *  # noqa: F403
from wippy_console.settings import DATABASES

DATABASES["default"]["NAME"] = os.environ["WIPPY_TEST_DATABASE"]
if "WIPPY_TEST_LOCK_SECONDS" in os.environ:  # how long SQLite waits for another writer
    DATABASES["default"]["OPTIONS"]["timeout"] = float(os.environ["WIPPY_TEST_LOCK_SECONDS"])
if "WIPPY_TEST_STALLED_SECONDS" in os.environ:
    from wippy_console.supervision import web

    web.STALLED_SECONDS = float(os.environ["WIPPY_TEST_STALLED_SECONDS"])
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
