"""The clock: what happens to questions when their time has come. By rows alone, so that no process has to remember it.

The worker that leads calls `tick` about once a second; what a dead one left is done by the next.
"""

from wippy_console.services.clock.ticking import tick

__all__ = ["tick"]
