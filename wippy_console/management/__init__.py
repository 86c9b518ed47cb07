"""What one types after `manage.py`: commands for operators and for running an installation."""
