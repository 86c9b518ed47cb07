"""The Django side: the web console, and the node that `manage.py worker` runs. Contracts stand in pyproject.toml."""
