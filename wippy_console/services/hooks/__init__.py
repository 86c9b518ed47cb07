"""Requests of other systems under `/hooks/`: which door they come to, whether it opens, and what becomes of them."""

from wippy_console.services.hooks.addresses import served
from wippy_console.services.hooks.calling import Try
from wippy_console.services.hooks.receiving import Accepted, Act, Incoming
from wippy_console.services.hooks.replies import Headers, Reply, problem
from wippy_console.services.hooks.routes import Match, MethodNotAllowed, NotFound, Options

__all__ = [
    "Accepted",
    "Act",
    "Headers",
    "Incoming",
    "Match",
    "MethodNotAllowed",
    "NotFound",
    "Options",
    "Reply",
    "Try",
    "problem",
    "served",
]
