"""For tests of apps: a pytest plugin with Lua code on a real Temporal, or on a clock that the test moves.

    pytest_plugins = ["wippy_console.testing"]

`context` and `driver` are those of `wippy_console.sdk.testing`, which needs no server. The settings of such tests are
`wippy_console.testing.settings`; `Workflows`, for annotations, is in `.serving`. Nothing here is imported by what
runs in production.
"""

from wippy_console.sdk.testing import context, drive, driver
from wippy_console.testing.fixtures import temporal_server, workflows

__all__ = ["context", "drive", "driver", "temporal_server", "workflows"]
