"""Each contract of engine/contracts has implementers that fit it: mypy proves it by the signatures here.

Where a host is told apart at run time (`isinstance`), Python itself compares names of methods only.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import get_type_hints, is_protocol

import engine.contracts
