"""The Python code that `function.python` entries name: which of it they may, what it is, and what code itself declares.

It knows no models, since the sdk imports it before the apps are ready.
"""

from wippy_console.services.python_functions.describing import Code, code_of
from wippy_console.services.python_functions.naming import left_out, problems, resolved, wrong_pattern
from wippy_console.services.python_functions.of_code import Declared, DeclaredWrongly, declare, declared, digest, entry

__all__ = [
    "Code",
    "Declared",
    "DeclaredWrongly",
    "code_of",
    "declare",
    "declared",
    "digest",
    "entry",
    "left_out",
    "problems",
    "resolved",
    "wrong_pattern",
]
