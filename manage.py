#!/usr/bin/env python
"""Django's command line for Wippy Console."""

import os
import sys

from django.core.management import execute_from_command_line

from wippy_console.management.ending import end_as_meant

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wippy_console.settings")
    end_as_meant(lambda: execute_from_command_line(sys.argv))
