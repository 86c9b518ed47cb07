"""What nodes answer to requests, beyond a plain value: how a process ended, and what one looks like now.

Fields that are not known are ignored, so that a newer node may say more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from temporalio.api.common.v1 import Payload

from engine.contracts.operations import Doing, ProcessInfo
from engine.errors import Failure, UnitFailed, invalid
from engine.hosts.temporal.wire import fields, payloads
from engine.steps import Exited, Value


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a process ended that somebody waited for; `failure` is None when it ended well."""

    pid: str
    value: Value = None
    failure: Failure | None = None

    @classmethod
    def of(cls, pid: str, exited: Exited) -> Outcome:
        """The outcome that an EXIT tells of."""
        return cls(pid, None if exited.failure else exited.value, exited.failure)

    def encode(self, what: str) -> Payload:
        """{pid, value} or {pid, failure}; `what` names it in the failure when that can't be sent."""
        end: dict[str, Any] = {"failure": self.failure} if self.failure else {"value": self.value}
        return payloads.encode({"pid": self.pid, **end}, what)

    @classmethod
    def decode(cls, payload: Payload) -> Outcome:
        """The inverse of `encode`."""
        given = fields.table_in(payload, "the outcome of a process")
        failure = given.get("failure")
        return cls(fields.text(given, "pid"), given.get("value"), failure if isinstance(failure, Failure) else None)


def encode_process(info: ProcessInfo) -> Payload:
    """The fields of ProcessInfo; those of operations only where there are any, which older nodes do not know."""
    given = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(info).items()}
    if not info.operations:
        del given["doing"], given["operations"]
    return payloads.encode(given, f"description of {info.pid}")


def decode_process(payload: Payload) -> ProcessInfo:
    """The inverse of `encode_process`."""
    given = fields.table_in(payload, "the description of a process")
    return ProcessInfo(
        pid=fields.text(given, "pid"),
        entry=fields.text(given, "entry"),
        kind=fields.text(given, "kind"),
        host=fields.text(given, "host"),
        state=fields.text(given, "state"),
        started=fields.integer(given, "started"),
        mailbox=fields.integer(given, "mailbox"),
        mailbox_limit=fields.integer(given, "mailbox_limit"),
        parent=fields.optional_text(given, "parent"),
        links=fields.texts(given, "links"),
        names=fields.texts(given, "names"),
        watchers=fields.texts(given, "watchers"),
        doing=tuple(_doing(each) for each in fields.items(given, "doing")),
        operations=fields.integer({"operations": 0, **given}, "operations"),
    )


def _doing(given: Value) -> Doing:
    if not isinstance(given, Mapping):
        raise UnitFailed(invalid("doing must be a list of tables"))
    return Doing(fields.text(given, "text"), fields.integer(given, "since"))
