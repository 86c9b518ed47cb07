"""For tests of apps: a pytest plugin with Lua code on a real Temporal, or on a clock that the test moves.

    pytest_plugins = ["wippy_console.testing"]

The settings of such tests are `wippy_console.testing.settings`; `Workflows`, for annotations, is in `.workflows`.
Nothing here is imported by what runs in production.
"""

from wippy_console.testing.fixtures import driver, temporal_server, workflows
from wippy_console.testing.stepping import Stepping

__all__ = ["Stepping", "driver", "temporal_server", "workflows"]
