"""A node: what `manage.py worker` runs. `node.py` composes it."""
