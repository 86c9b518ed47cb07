"""The stage of the Temporal host's tests."""

from tests.engine.hosts.temporal.conftest import stage

__all__ = ["stage"]
