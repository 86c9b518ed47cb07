"""What `manage.py up` does: prepares an installation, starts its processes and keeps them running."""
