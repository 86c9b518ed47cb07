"""Settings of a web or worker process that a test starts: the test session's database under its real name."""

import os

os.environ.setdefault("WIPPY_APPS", "shop")  # as tests/settings.py has it

from wippy_console.settings import *  # noqa: F403
from wippy_console.settings import DATABASES

DATABASES["default"]["NAME"] = os.environ["WIPPY_TEST_DATABASE"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
