"""The plugin's own fixtures, as an app has them."""

from wippy_console.testing import temporal_server, workflows

__all__ = ["temporal_server", "workflows"]
