"""Who acts in functions, processes and services of a node."""

from __future__ import annotations

from typing import Any

import pytest

from engine.asks.policies import PolicyAsks
from engine.contracts.host import SpawnRequest
from engine.entry import Entry
from engine.hosts.actor.supervision.state import ServiceState
from engine.hosts.actor.supervision.supervisor import Supervisor
from engine.security.context import Actor, Policy, Security
from tests.engine.hosts.actor.support import HOST, Lab, lab, lua, process, service

WHO = """
local actor, scope = security.actor(), security.scope()
local ids = {}
for _, policy in ipairs(scope and scope:policies() or {}) do table.insert(ids, policy:id()) end
return {actor and actor:id() or "nobody", scope and table.concat(ids, " ") or "no scope"}
"""
SECURITY = ["security", "funcs", "time"]


def policy(entry_id: str, effect: str = "allow", actions: str = "*", groups: tuple[str, ...] = ()) -> Entry:
    body = {"actions": actions, "resources": "*", "effect": effect}
    return Entry(entry_id, "security.policy", {}, {"policy": body, "groups": list(groups)})


ALL = policy("app:all", groups=("team",))
NO_SENDING = policy("app:no_sending", "deny", "process.send", ("team",))
WHOAMI = lua("app:who", WHO, modules=SECURITY)
WHO_PROCESS = process("app:who_process", WHO, modules=SECURITY, meta={"default_host": "app:procs"})


def acting(*policies: str, **meta: Any) -> Security:
    return Security(Actor("user:ann", meta), tuple(map(Policy, policies)))


async def test_a_call_hands_its_context_on_to_functions_and_processes() -> None:
    relay = lua("app:relay", "local a = funcs.call('app:who') return {a, (funcs.call('app:who_process'))}")
    async with lab(ALL, WHOAMI, WHO_PROCESS, relay) as it:
        told = await it.call("app:relay", security=acting("app:all"))
        assert told == [["user:ann", "app:all"], ["user:ann", "app:all"]]
        assert await it.call("app:relay") == [["nobody", "no scope"], ["nobody", "no scope"]]


async def test_a_retried_call_keeps_its_context() -> None:
    flaky = lua(
        "app:flaky",
        "error(errors.new{message = security.actor():id(), kind = 'Unavailable', retryable = true})",
        modules=SECURITY,
        meta={"options": {"retry": {"max_attempts": 3, "initial_delay": 1}}},
    )
    async with lab(ALL, flaky) as it:
        assert (await it.failure("app:flaky", security=acting("app:all"))).message == "user:ann"


async def test_policies_are_those_of_the_registry_when_the_unit_starts() -> None:
    ask = lua("app:ask", "return security.can('a', 'b')", modules=SECURITY)
    async with lab(ALL, ask) as it:
        assert await it.call("app:ask", security=acting("app:all")) is True
        it.catalog.publish(policy("app:all", "deny"))
        assert await it.call("app:ask", security=acting("app:all")) is False


async def test_an_unknown_policy_makes_the_scope_grant_nothing() -> None:
    relay = lua("app:relay", "return funcs.call('app:who')")
    async with lab(ALL, WHOAMI, relay) as it:
        failure = await it.failure("app:relay", security=acting("app:all", "app:gone"))
        assert (failure.kind, failure.retryable) == ("PermissionDenied", False)
        assert failure.message == "not allowed: app:who"


async def test_an_upgraded_process_stays_who_it_was() -> None:
    first = process("app:first", "process.upgrade('app:who_process')")
    async with lab(ALL, first, WHO_PROCESS) as it:
        host: Any = it.node.host(HOST.id)
        ended: list[Any] = []
        await host.spawn_watched(SpawnRequest("app:first", HOST.id, security=acting("app:all")), "t", ended.append)
        await it.until(lambda: bool(ended))
        assert ended[0].value == ["user:ann", "app:all"]


@pytest.mark.parametrize("strict", [False, True])
async def test_strictness_decides_for_units_without_a_whole_context(strict: bool) -> None:
    relay = lua("app:relay", "return funcs.call('app:who')")
    async with lab(ALL, WHOAMI, relay, strict=strict) as it:
        assert await it.call("app:relay", security=acting("app:all")) == ["user:ann", "app:all"]
        for security in (None, Security(Actor("user:ann")), Security(None, (Policy("app:all"),))):
            if strict:
                failure = await it.failure("app:relay", security=security)
                assert (failure.kind, failure.message) == ("PermissionDenied", "not allowed: app:who")
            else:
                await it.call("app:relay", security=security)


async def test_the_asks_of_the_module_answer_by_the_current_version() -> None:
    named = lua("app:named", "return security.named_scope('app:team'):contains('app:new')", modules=SECURITY)
    async with lab(ALL, named, ask_handlers=lambda catalog: PolicyAsks(catalog).handlers()) as it:
        assert await it.call("app:named") is False
        it.catalog.publish(policy("app:new", groups=("team",)))
        assert await it.call("app:named") is True


async def test_an_entry_whose_security_is_not_whole_does_not_run() -> None:
    block = {"actor": {"id": "service:x"}, "policies": ["all", "gone"]}
    guarded = Entry("app:guarded", "function.lua", {}, {**WHOAMI.data, "security": block})
    body = Entry("app:body", "process.lua", {}, {**WHO_PROCESS.data, "security": block})
    relay = lua("app:relay", "return funcs.call('app:guarded')", modules=SECURITY)
    async with lab(ALL, guarded, body, relay) as it:
        failure = await it.failure("app:relay", security=acting("app:all"))
        assert (failure.kind, failure.message) == ("Invalid", "policy 'app:gone' not found")
        host: Any = it.node.host(HOST.id)
        ended: list[Any] = []
        await host.spawn_watched(SpawnRequest("app:body", HOST.id), "t", ended.append)
        await it.until(lambda: bool(ended))
        assert ended[0].failure.kind == "Invalid"
        it.catalog.publish(policy("app:gone"))
        assert await it.call("app:relay", security=acting("app:all")) == ["service:x", "app:all app:gone"]


class Served:
    """A supervisor, and what the services sent to a process that keeps it."""

    def __init__(self, it: Lab) -> None:
        self.it = it
        self.states: dict[str, ServiceState] = {}
        self.supervisor = Supervisor(it.node, lambda state: self.states.update({state.entry_id: state}))

    async def tells(self, entry: Entry) -> Any:
        """What the service's process returned."""
        self.it.catalog.publish(entry)
        await self.supervisor.reconcile(self.it.catalog)
        await self.it.until(lambda: self.stands(entry.id) in ("Exited", "Failed"))
        return self.states[entry.id]

    def stands(self, entry_id: str) -> str:
        """The state of a service, "" before it has one."""
        return self.states[entry_id].state if entry_id in self.states else ""


REPORT = process(
    "app:report",
    f"local told = (function() {WHO} end)() error(errors.new{{message = table.concat(told, '|'), retryable = false}})",
    modules=SECURITY,
)


@pytest.mark.parametrize(
    ("security", "told"),
    [
        (None, "nobody|no scope"),
        ({"actor": {"id": "service:x"}}, "service:x|no scope"),
        ({"actor": {"id": "service:x"}, "policies": ["all"]}, "service:x|app:all"),
        ({"actor": {"id": "service:x"}, "groups": ["team"]}, "service:x|app:all app:no_sending"),
        (
            {"actor": {"id": "service:x"}, "policies": ["no_sending"], "groups": ["app:team"]},
            "service:x|app:no_sending app:all",
        ),
        ({"policies": ["app:all"]}, "nobody|app:all"),
    ],
)
async def test_a_service_runs_with_exactly_its_security(security: Any, told: str) -> None:
    async with lab(ALL, NO_SENDING, REPORT) as it:
        served = Served(it)
        lifecycle = {} if security is None else {"security": security}
        state = await served.tells(service("app:svc", "app:report", lifecycle))
        assert state.error == told
        await served.supervisor.stop()


@pytest.mark.parametrize("security", [{"policies": ["gone"]}, {"groups": ["gone"]}, {"policies": ["all", "report"]}])
async def test_a_service_whose_security_is_not_whole_does_not_start(security: Any) -> None:
    async with lab(ALL, REPORT) as it:
        served = Served(it)
        state = await served.tells(service("app:svc", "app:report", {"security": security}))
        assert state.state == "Failed" and "not found" in state.error and state.pid == ""
        await served.supervisor.stop()


async def test_a_service_starts_again_when_its_policies_change() -> None:
    idle = process("app:idle", "return process.inbox():receive()")
    async with lab(ALL, idle) as it:
        served = Served(it)
        security = {"actor": {"id": "s"}, "groups": ["team"]}
        it.catalog.publish(service("app:svc", "app:idle", {"security": security, "stop_timeout": "10ms"}))
        await served.supervisor.reconcile(it.catalog)
        await it.until(lambda: served.stands("app:svc") == "Running")
        first = served.states["app:svc"].pid
        await served.supervisor.reconcile(it.catalog)
        assert served.states["app:svc"].pid == first
        it.catalog.publish(NO_SENDING)
        await served.supervisor.reconcile(it.catalog)
        await it.until(lambda: served.stands("app:svc") == "Running" and served.states["app:svc"].pid != first)
        await served.supervisor.stop()


async def test_a_taken_name_gives_no_way_to_a_process_that_may_not_be_sent_to() -> None:
    idle = process("app:idle", "return process.inbox():receive():topic()")
    knock = lua(
        "app:knock",
        "local knocker = process.with_context({}):with_name('desk'):with_message('hi', 1) "
        "local _, err = knocker:spawn('app:idle', 'app:procs') "
        "local alone = process.with_context({}):with_name('desk'):spawn('app:idle', 'app:procs') "
        "return {err and err:kind() or 'none', alone}",
    )
    async with lab(ALL, NO_SENDING, idle, knock) as it:
        desk = await it.spawn("app:idle", name="desk")
        told = await it.call("app:knock", security=acting("app:all", "app:no_sending"))
        assert told == ["PermissionDenied", desk]
        assert desk in [info.pid for info in it.node.processes()]
