"""A script without a guard: it ends the process that imports it."""

import sys

sys.exit("imported")
