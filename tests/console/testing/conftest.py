"""The plugin's own fixtures, as an app has them."""

from wippy_console.testing import driver, temporal_server, workflows

__all__ = ["driver", "temporal_server", "workflows"]
