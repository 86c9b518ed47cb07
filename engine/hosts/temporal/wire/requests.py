"""What nodes, consoles and runs ask of a node: each request is an activity of its name, with one table as argument.

Nodes of two versions meet while a fleet is upgraded. Therefore:

- A request says its version when that is above 1; one without a version is of version 1.
- A field that is not known is ignored: what an older node may ignore is added without a new version.
- What an older node must not ignore raises the version, and `read` still reads the older ones. A node that is asked
  in a version above its own refuses, naming both. Nodes of before this file ignore the version as well: the first
  request that must not reach them takes a new name, which they don't know and so refuse.
- An activity that a node does not know is reported to whoever asked as Invalid (`engine.hosts.temporal.node.client`).

tests/engine/hosts/temporal/requests holds each as nodes wrote it; histories of runs hold them as well.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, asdict, dataclass
from dataclasses import fields as dataclass_fields
from typing import Any, ClassVar, Generic, Self, TypeVar

from temporalio.api.common.v1 import Payload

from engine.contracts.host import CallRequest, SpawnRequest
from engine.contracts.operations import ProcessInfo
from engine.errors import Failure, UnitFailed, invalid
from engine.hosts.temporal.wire import answers, fields, headers, payloads
from engine.hosts.temporal.wire.fields import Fields
from engine.steps import Exited, Value

A = TypeVar("A")

START, STOP = "start", "stop"


@dataclass(frozen=True, slots=True)
class Request(Generic[A]):
    """One request, whose answer is an `A`. Its attributes are its fields, and texts, unless it says otherwise itself.

    Attributes with a default may be missing. The first field that it writes is whom or what it is about.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1

    @property
    def subject(self) -> str:
        """Whom or what it is about, for messages."""
        return str(next(iter(self.write().values())))

    def write(self) -> dict[str, Any]:
        """The fields as they travel."""
        return asdict(self)

    @classmethod
    def read(cls, given: Fields) -> Self:
        """The inverse of `write`; raises UnitFailed (Invalid)."""
        return cls(*(_text(given, attribute) for attribute in dataclass_fields(cls)))

    @classmethod
    def decode_answer(cls, payload: Payload) -> A:
        """The answer in what the activity returned."""
        raise NotImplementedError

    def encode(self, what: str = "") -> Payload:
        """The argument of the activity; `what` names it in the failure when it can't be sent."""
        version = {"version": self.version} if self.version > 1 else {}
        return payloads.encode({**self.write(), **version}, what or f"{self.name} {self.subject}")

    @classmethod
    def decode(cls, payload: Payload) -> Self:
        """The inverse of `encode`; UnitFailed: Invalid, also for a version that this node does not know."""
        given = fields.table_in(payload, "the request")
        version = fields.integer({"version": 1, **given}, "version")
        if version > cls.version:
            text = f"the node that was asked knows {cls.name} up to version {cls.version}, not version {version}"
            raise UnitFailed(invalid(f"{text}: upgrade that node", version=version, known=cls.version))
        return cls.read(given)


class Order(Request[None]):
    """A request that is done or fails: there is nothing to answer."""

    __slots__ = ()

    @classmethod
    def decode_answer(cls, payload: Payload) -> None:
        """None."""


@dataclass(frozen=True, slots=True)
class Call(Request[Value]):
    """Call a function; its value."""

    name = "wippy.call"
    request: CallRequest

    def write(self) -> dict[str, Any]:
        """{target, args, options, context, caller, security}."""
        return {
            "target": self.request.target,
            "args": list(self.request.args),
            "options": dict(self.request.options),
            "context": headers.portable(self.request.context),
            "caller": self.request.caller,
            "security": headers.carried(self.request.security),
        }

    @classmethod
    def read(cls, given: Fields) -> Self:
        """See Request."""
        return cls(
            CallRequest(
                target=fields.text(given, "target"),
                args=fields.items(given, "args"),
                options=fields.table(given, "options"),
                context=fields.table(given, "context"),
                caller=fields.optional_text(given, "caller"),
                security=fields.security(given),
            )
        )

    @classmethod
    def decode_answer(cls, payload: Payload) -> Value:
        """The value."""
        return payloads.decode(payload)


@dataclass(frozen=True, slots=True)
class Start(Request[A]):
    """What is common to Spawn and Run."""

    request: SpawnRequest

    def write(self) -> dict[str, Any]:
        """{entry, host, args, parent, name, options, context, messages, security}."""
        return {
            "entry": self.request.entry,
            "host": self.request.host,
            "args": list(self.request.args),
            "parent": self.request.parent,
            "name": self.request.name,
            "options": dict(self.request.options),
            "context": headers.portable(self.request.context),
            "security": headers.carried(self.request.security),
            "messages": [[topic, list(values)] for topic, values in self.request.messages],
        }

    @classmethod
    def read(cls, given: Fields) -> Self:
        """See Request."""
        return cls(
            SpawnRequest(
                entry=fields.text(given, "entry"),
                host=fields.text(given, "host"),
                args=fields.items(given, "args"),
                parent=fields.optional_text(given, "parent"),
                name=fields.optional_text(given, "name"),
                options=fields.table(given, "options"),
                context=fields.table(given, "context"),
                messages=tuple(map(_message, fields.items(given, "messages"))),
                security=fields.security(given),
            )
        )


class Spawn(Start[str]):
    """Start a process or workflow; its pid."""

    __slots__ = ()
    name = "wippy.spawn"

    @classmethod
    def decode_answer(cls, payload: Payload) -> str:
        """The pid."""
        return str(payloads.decode(payload))


class Run(Start[answers.Outcome]):
    """Start a process and wait for its end."""

    __slots__ = ()
    name = "wippy.run"

    @classmethod
    def decode_answer(cls, payload: Payload) -> answers.Outcome:
        """How it ended."""
        return answers.Outcome.decode(payload)


@dataclass(frozen=True, slots=True)
class Send(Order):
    """Send a message to whoever `dest` is or names."""

    name = "wippy.send"
    dest: str
    topic: str
    payloads: tuple[Value, ...]
    sender: str = ""

    def write(self) -> dict[str, Any]:
        """{dest, topic, payloads, sender}."""
        return {"dest": self.dest, "topic": self.topic, "payloads": list(self.payloads), "sender": self.sender}

    @classmethod
    def read(cls, given: Fields) -> Self:
        """See Request."""
        dest, topic = fields.text(given, "dest"), fields.text(given, "topic")
        return cls(dest, topic, fields.items(given, "payloads"), fields.optional_text(given, "sender"))


@dataclass(frozen=True, slots=True)
class Cancel(Order):
    """Deliver CANCEL to whoever `dest` is or names."""

    name = "wippy.cancel"
    dest: str
    reason: str = ""
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Terminate(Order):
    """End the unit that `dest` is or names now."""

    name = "wippy.terminate"
    dest: str
    reason: str = ""
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Watch(Order):
    """Tell `node` of the end of a unit, by that token; NotFound when there is no such unit."""

    name = "wippy.watch"
    dest: str
    token: str
    node: str


@dataclass(frozen=True, slots=True)
class Unwatch(Order):
    """Undo Watch."""

    name = "wippy.unwatch"
    dest: str
    token: str
    node: str


@dataclass(frozen=True, slots=True)
class Ended(Order):
    """Hear how a unit of another node ended, which is watched by that token; hearing it twice is harmless."""

    name = "wippy.ended"
    token: str
    exited: Exited

    def write(self) -> dict[str, Any]:
        """{dest, token, at, value, failure}."""
        exited = self.exited
        end = {"at": exited.at, "value": exited.value, "failure": exited.failure}
        return {"dest": exited.pid, "token": self.token, **end}

    @classmethod
    def read(cls, given: Fields) -> Self:
        """See Request."""
        failure = given.get("failure")
        if not isinstance(failure, Failure | None):
            raise UnitFailed(invalid("failure must be a failure"))
        dest, at = fields.text(given, "dest"), fields.integer(given, "at")
        return cls(fields.text(given, "token"), Exited(dest, at, given.get("value"), failure))


@dataclass(frozen=True, slots=True)
class Link(Order):
    """Let the actor `dest` hold its side of a link with `peer` of another node; NotFound when it is gone."""

    name = "wippy.link"
    dest: str
    peer: str


@dataclass(frozen=True, slots=True)
class Unlink(Order):
    """Undo Link."""

    name = "wippy.unlink"
    dest: str
    peer: str


@dataclass(frozen=True, slots=True)
class Describe(Request[ProcessInfo]):
    """A process or function call as it is now; NotFound when it is gone."""

    name = "wippy.describe"
    dest: str

    @classmethod
    def decode_answer(cls, payload: Payload) -> ProcessInfo:
        """What it looks like."""
        return answers.decode_process(payload)


@dataclass(frozen=True, slots=True)
class Service(Order):
    """START a service (anew, if it runs) or STOP it; NotFound when it is not that node's."""

    name = "wippy.service"
    entry: str
    action: str


@dataclass(frozen=True, slots=True)
class Serve(Order):
    """Answer the HTTP request of that id by the function `target`; the request and the answer travel elsewhere."""

    name = "wippy.serve"
    id: str
    target: str


def _text(given: Fields, attribute: Field[Any]) -> str:
    read = fields.text if attribute.default is MISSING else fields.optional_text
    return read(given, attribute.name)


def _message(item: Value) -> tuple[str, tuple[Value, ...]]:
    match item:
        case [str(topic), list(values)]:
            return topic, tuple(values)
        case _:
            raise UnitFailed(invalid("messages must be a list of {topic, payloads}"))
