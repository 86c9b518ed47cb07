"""Settings of the tests: those that tests of apps have."""

from wippy_console.testing.settings import *  # noqa: F403
