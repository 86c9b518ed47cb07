"""Failures of a history as the engine's `Failure`."""

from __future__ import annotations

from dataclasses import replace

from temporalio.api.failure.v1 import Failure as Proto
from temporalio.converter import DataConverter

from engine.errors import Failure
from engine.hosts.temporal.wire.failures import from_exception
from wippy_console.database.storable import storable

_CONVERTER = DataConverter.default


def read_failure(proto: Proto) -> Failure:
    """The failure, wrappers opened; its stack is the Lua traceback, else the innermost one that Temporal kept."""
    error = _CONVERTER.failure_converter.from_failure(proto, _CONVERTER.payload_converter)
    failure = from_exception(error)
    return replace(failure, details=storable(failure.details), stack=failure.stack or _stack(proto))


def _stack(proto: Proto) -> str:
    """The stack trace nearest to the cause."""
    inner = _stack(proto.cause) if proto.HasField("cause") else ""
    return inner or proto.stack_trace
