"""A node, as `manage.py worker` runs it: `node` composes the rooms, which do not know each other."""
