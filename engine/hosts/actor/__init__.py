"""The actor host: function calls and processes of one node, in memory.

`table.py` has the actors, and the rule of their lock; all else stands on it. A step's way enters each file once:
`execution.py` -> `commands.py` -> `destinations.py` (of a send) or `targets.py` (of a call or spawn) -> `local.py`,
`remote.py`, `calls.py` or `asks/` -> `answers.py` -> `table.py`. `system.py` composes them.
"""
