"""Requests between nodes: what nodes of one version write, those of another read, or they say that they can't.

`requests/` holds arguments and answers as nodes wrote them before requests had versions: `<activity>[.<case>].json`.
They are never changed. A request of a new version, or a new one, is added beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from temporalio.api.common.v1 import Payload

from engine.contracts.host import CallRequest, SpawnRequest
from engine.contracts.operations import Doing, ProcessInfo
from engine.contracts.serving import Call
from engine.errors import ALREADY_EXISTS, INVALID, Failure, UnitFailed
from engine.hosts.temporal.node.activities import NodeActivities
from engine.hosts.temporal.node.client import NodeClient
from engine.hosts.temporal.node.operations import OperationActivities
from engine.hosts.temporal.node.peer_activities import PeerActivities
from engine.hosts.temporal.node.serving import ServingActivities
from engine.hosts.temporal.node.workers import node_workers
from engine.hosts.temporal.options.types import ENGINE
from engine.hosts.temporal.wire import answers, payloads, requests
from engine.hosts.temporal.wire.answers import Outcome
from engine.hosts.temporal.wire.requests import Request
from engine.security.context import Actor, Policy, Security
from engine.steps import Exited, Value
from tests.engine.hosts.temporal.stage import Stage
from tests.patience import PATIENCE

FOLDER = Path(__file__).parent / "requests"
RECORDED = sorted(path.stem for path in FOLDER.glob("*.json"))
KINDS: Mapping[str, type[Request[Any]]] = {
    kind.name: kind
    for kind in vars(requests).values()
    if isinstance(kind, type) and issubclass(kind, Request) and hasattr(kind, "name")
}

PID, PEER, RUN = "{node-b@app:processes|7}", "{node-a@app:processes|3}", "{app:client@app:worker|run-1}"
AT = 1_700_000_000_123_456_789
ANN = Security(Actor("user:ada", {"team": "ops", "level": 3}), (Policy("app:readers"), Policy("app:writers")))
BROKEN = Failure("Conflict", "broken", False, {"n": 1, "why": "so"}, "stack traceback")
ARGS: tuple[Value, ...] = (1, 2.5, "três", None, True, b"\0\xff", [1, 2], {"a": {"b": []}})
OPTIONS = {"timeout": "5s", "activity": {"id": "x"}}
CONTEXT = {"trace": "t-1", "n": 1, "kept": {"x": [1, "y"]}}
SPAWN = SpawnRequest(
    "app:echo", "app:processes", ARGS, PEER, "echo", OPTIONS, CONTEXT, (("hello", ({"n": 1}, 2)), ("bye", ())), ANN
)
UNSENDABLE = (
    f"the value of {PID} can't be sent: a table that mixes strings and other keys, or has holes, is not JSON (key 1)"
)

MEANT: Mapping[str, Request[Any]] = {
    "wippy.call": requests.Call(CallRequest("app:fn")),
    "wippy.call.full": requests.Call(CallRequest("app:fn", ARGS, OPTIONS, CONTEXT, PEER, ANN)),
    "wippy.spawn": requests.Spawn(SpawnRequest("app:echo", "app:processes")),
    "wippy.spawn.full": requests.Spawn(SPAWN),
    "wippy.run": requests.Run(SpawnRequest("app:echo", "app:processes")),
    "wippy.run.full": requests.Run(SPAWN),
    "wippy.send": requests.Send(PID, "topic", (1, {"a": "b"}, None), PEER),
    "wippy.send.console": requests.Send(PID, "topic", ({"n": 1},), "user:ada"),
    "wippy.send.workflow": requests.Send(PID, "topic", (1, {"a": "b"}), RUN),
    "wippy.cancel": requests.Cancel(PID, "enough", PEER),
    "wippy.cancel.console": requests.Cancel(PID, "enough", "user:ada"),
    "wippy.cancel.workflow": requests.Cancel("a name", "", RUN),
    "wippy.terminate": requests.Terminate(PID, "enough", PEER),
    "wippy.terminate.console": requests.Terminate(PID, "enough", "user:ada"),
    "wippy.terminate.workflow": requests.Terminate("a name", "enough", RUN),
    "wippy.watch": requests.Watch(PID, PEER, "node-a"),
    "wippy.unwatch": requests.Unwatch(PID, PEER, "node-a"),
    "wippy.ended": requests.Ended(PEER, Exited(PID, AT, {"fine": [1, "zwei"]})),
    "wippy.ended.failed": requests.Ended(PEER, Exited(PID, AT, None, BROKEN)),
    "wippy.ended.unsendable": requests.Ended(
        PEER, Exited(PID, AT, None, Failure(INVALID, UNSENDABLE, retryable=False))
    ),
    "wippy.link": requests.Link(PID, PEER),
    "wippy.unlink": requests.Unlink(PID, PEER),
    "wippy.describe": requests.Describe(PID),
    "wippy.service": requests.Service("app:service", requests.START),
    "wippy.serve": requests.Serve("0b7fd8f4-3c1e-4a55-9d4f-0d7a52c6b1e0", "app:fn"),
}


def recorded(name: str) -> Payload:
    """What a node wrote then."""
    data = (FOLDER / f"{name}.json").read_bytes().rstrip(b"\n")
    return Payload(metadata={"encoding": b"json/plain"}, data=data)


def kind_of(case: str) -> type[Request[Any]]:
    """The request that a file holds."""
    return KINDS[".".join(case.split(".")[:2])]


def refusal(kind: type[Request[Any]], fields: Value) -> str:
    """How a node refuses such a table."""
    with pytest.raises(UnitFailed) as raised:
        kind.decode(payloads.encode(fields, "the request"))
    assert raised.value.failure.kind == INVALID
    assert raised.value.failure.retryable is False
    return raised.value.failure.message


@pytest.mark.parametrize("case", RECORDED)
def test_a_recorded_request_is_read_and_written_as_it_was(case: str) -> None:
    request = kind_of(case).decode(recorded(case))
    assert type(request) is type(MEANT[case])
    assert request == MEANT[case]
    assert request.encode() == recorded(case)


def test_every_request_is_recorded() -> None:
    assert set(MEANT) == set(RECORDED)
    assert {kind_of(case) for case in RECORDED} == set(KINDS.values())


@pytest.mark.parametrize("case", RECORDED)
def test_fields_that_a_newer_node_adds_are_ignored(case: str) -> None:
    fields = payloads.decode(recorded(case))
    more = payloads.encode({**fields, "version": 1, "not known here": {"x": 1}}, "the request")
    assert kind_of(case).decode(more) == MEANT[case]


@pytest.mark.parametrize("case", RECORDED)
def test_a_newer_version_is_refused_by_both_numbers(case: str) -> None:
    kind, fields = kind_of(case), payloads.decode(recorded(case))
    text = refusal(kind, {**fields, "version": kind.version + 1})
    assert f"{kind.name} up to version {kind.version}, not version {kind.version + 1}: upgrade that node" in text


def test_a_version_above_one_is_written() -> None:
    class Later(requests.Link):
        version: ClassVar[int] = 2

    fields = payloads.decode(Later(PID, PEER).encode())
    assert fields == {"dest": PID, "peer": PEER, "version": 2}
    assert Later.decode(recorded("wippy.link")) == Later(PID, PEER)


def test_a_field_that_does_not_fit_is_named() -> None:
    send, spawn = {"dest": PID, "topic": "t"}, {"entry": "app:p", "host": "app:h"}
    assert refusal(requests.Send, ["x"]) == "the request must be a table"
    assert refusal(requests.Send, {"topic": "t"}) == "dest must be a string"
    assert refusal(requests.Send, {**send, "topic": 1}) == "topic must be a string"
    assert refusal(requests.Send, {**send, "payloads": "x"}) == "payloads must be a list"
    assert refusal(requests.Send, {**send, "version": "x"}) == "version must be an integer"
    assert refusal(requests.Spawn, {**spawn, "options": "x"}) == "options must be a table"
    assert refusal(requests.Spawn, {**spawn, "messages": [1]}) == "messages must be a list of {topic, payloads}"
    assert refusal(requests.Call, {"target": "f", "security": "x"}).startswith("security: ")
    assert refusal(requests.Ended, {"dest": PID, "token": PEER}) == "at must be an integer"


def test_recorded_answers_are_read_and_written_as_they_were() -> None:
    outcomes = {
        "wippy.run": Outcome(PID, {"fine": [1, "zwei"]}),
        "wippy.run.failed": Outcome(PID, None, BROKEN),
        "wippy.run.nothing": Outcome(PID),
    }
    for case, outcome in outcomes.items():
        assert requests.Run.decode_answer(recorded(f"answers/{case}")) == outcome
        assert outcome.encode("the outcome") == recorded(f"answers/{case}")
    info = ProcessInfo(
        PID, "app:echo", "process", "app:processes", "waiting", AT, 2, 100, PEER, (PEER,), ("echo",), (
            "service app:s", PEER,
        ),
    )  # fmt: skip
    assert requests.Describe.decode_answer(recorded("answers/wippy.describe")) == info
    assert answers.encode_process(info) == recorded("answers/wippy.describe")
    info = replace(info, doing=(Doing("GET https://shop.example/orders", AT),), operations=9)
    assert requests.Describe.decode_answer(recorded("answers/wippy.describe.doing")) == info
    assert answers.encode_process(info) == recorded("answers/wippy.describe.doing")


def test_every_request_is_an_activity_and_no_other_file_spells_its_name() -> None:
    rooms = (NodeActivities, PeerActivities, OperationActivities, ServingActivities)
    served = {method for room in rooms for method in vars(room).values()}
    definitions = [getattr(method, "__temporal_activity_definition", None) for method in served]
    assert {definition.name for definition in definitions if definition} == set(KINDS)
    assert all(name.startswith(ENGINE) for name in KINDS)
    spelling = [
        path.name
        for path in (Path(requests.__file__).parents[4] / "engine").rglob("*.py")
        if any(f'"{name}"' in path.read_text("utf-8") for name in KINDS)
    ]
    assert spelling == ["requests.py"]


# --- by a real server ---------------------------------------------------------------------------


class LaterSend(requests.Send):
    """A message as a node of a later version sends it."""

    version = 2


@dataclass(frozen=True, slots=True)
class Unheard(requests.Order):
    """A request that no node of this version knows."""

    name = "wippy.unheard"
    dest: str


@pytest.fixture
async def asked(stage: Stage) -> Stage:
    await stage.serve_fleet()
    return stage


async def test_a_node_refuses_a_request_of_a_later_version_and_does_nothing(asked: Stage) -> None:
    asked.process("app:p", "return process.inbox():receive():payload():data()")
    nodes = NodeClient(asked.client)
    pid = await nodes.spawn(SpawnRequest("app:p", "app:processes"), asked.node.id)
    with pytest.raises(UnitFailed, match=r"knows wippy\.send up to version 1, not version 2: upgrade that node"):
        await nodes.ask(LaterSend(pid, "t", (1,)), asked.node.id)
    info = asked.node.describe(pid)
    assert info is not None and info.mailbox == 0


async def test_whoever_asks_what_a_node_does_not_know_hears_which_node_to_upgrade(asked: Stage) -> None:
    nodes = NodeClient(asked.client)
    with pytest.raises(UnitFailed, match=f"node '{asked.node.id}' does not know wippy.unheard.*upgrade it") as raised:
        await nodes.ask(Unheard(PID), asked.node.id)
    assert raised.value.failure.kind == INVALID


class Notes:
    """A server that notes whom it asked, and of what try."""

    def __init__(self) -> None:
        self.answers: dict[str, Value] = {}

    async def serve(self, id: str, target: str, call: Call) -> None:
        self.answers[id] = await call(CallRequest(target))


async def test_any_node_with_a_server_answers_requests_once(stage: Stage) -> None:
    notes = Notes()
    await stage.serve(*node_workers(stage.client, stage.node, stage.peers, server=notes))
    stage.function("app:fn", "return 7")
    nodes = NodeClient(stage.client)
    await nodes.serve("one", "app:fn", timedelta(seconds=PATIENCE), key="one-1")
    assert notes.answers == {"one": 7}
    with pytest.raises(UnitFailed, match="asked before") as raised:
        await nodes.serve("one", "app:fn", timedelta(seconds=PATIENCE), key="one-1")
    assert raised.value.failure.kind == ALREADY_EXISTS
    with pytest.raises(UnitFailed, match="app:none"):
        await nodes.serve("two", "app:none", timedelta(seconds=PATIENCE))


async def test_a_node_without_a_server_says_that_it_does_not_know_how(asked: Stage) -> None:
    with pytest.raises(UnitFailed, match=r"does not know wippy\.serve"):
        await NodeClient(asked.client).serve("one", "app:fn", timedelta(seconds=PATIENCE))


async def test_a_function_that_is_not_found_is_no_request_that_is_not_known(asked: Stage) -> None:
    asked.function("app:fn", "error(errors.new { message = 'gone', kind = 'NotFoundError' })")
    with pytest.raises(UnitFailed, match="gone"):
        await NodeClient(asked.client).call(CallRequest("app:fn"), asked.node.id)
