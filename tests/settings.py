"""Settings of the tests: those that tests of apps have, with the example shop."""

import os

_given = os.environ.get("WIPPY_APPS")
os.environ.setdefault("WIPPY_APPS", "shop")

from wippy_console.testing.settings import *  # noqa: E402, F403

if _given is None:
    del os.environ["WIPPY_APPS"]  # products that tests start choose by themselves
