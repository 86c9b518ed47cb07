"""The product's settings for tests: on a data folder and a database of this process alone."""

import atexit
import os
import secrets
import shutil
import tempfile
from pathlib import Path

_data = tempfile.mkdtemp(prefix="wippy-test-")
_owner = os.getpid()


def _remove_data() -> None:
    """Remove the folder at the end, but not when a forked child of the session ends."""
    if os.getpid() == _owner:
        shutil.rmtree(_data, ignore_errors=True)


atexit.register(_remove_data)
os.environ["WIPPY_DATA"] = _data
for _name in ("WIPPY_DEBUG", "WIPPY_SECURE", "TEMPORAL_ADDRESS", "PORT", "REDIS_URL"):
    os.environ.pop(_name, None)

# Temporal's SDK takes two seconds on the clock for a deadlock (docs/pitfalls.md#the-deadlock-detector). A healthy task
# may last that long on a loaded machine; what bounds ours is time on the processor.
os.environ["TEMPORAL_DEBUG"] = "1"

from wippy_console.settings import *  # noqa: E402, F403
from wippy_console.settings import DATABASES  # noqa: E402

# SQLite's is a file, not memory: threads and processes of the tests share it under the product's own pragmas.
_is_file = "sqlite3" in DATABASES["default"]["ENGINE"]
DATABASES["default"]["TEST"] = {
    "NAME": Path(_data) / "test.sqlite3" if _is_file else f"test_wippy_{secrets.token_hex(6)}"
}
# Threads of the tests end without closing their connections; PostgreSQL would refuse to drop the test database.
DATABASES["default"]["CONN_MAX_AGE"] = 0
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
TEMPORAL_PATIENCE = 30.0  # a healthy Temporal on a loaded machine is no outage
