"""What is recorded: workflows that between them use every command and every order that replay must keep."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable

from tests.engine.hosts.temporal.stage import Stage, workflow_id

PAIRS = """
local t, out = {}, {}
for i = 1, 12 do t['key' .. i * 7919] = i end
t[1], t[2], t[2.5], t[true] = 'one', 'two', 'half', 'yes'
for k, v in pairs(t) do out[#out + 1] = funcs.call('app:fn', tostring(k), v) end
return out
"""

CHANCE = """
local uuid = require('uuid')
local t = {}
for i = 1, 6 do t[i] = {math.random(1, 100), uuid.v4(), time.now():unix_nano(), os.time()} end
for i = 1, 6 do funcs.call('app:fn', t[i]) end
table.sort(t, function(x, y) return x[1] < y[1] end)
return funcs.call('app:fn', t)
"""

RACES = """
local done = {}
local first = funcs.async('app:local', 30)
local second = funcs.async('app:local', 10)
local third = funcs.async('app:fn', 20)
local tick = time.ticker('40ms')
for i = 1, 6 do
    local r = channel.select{third:channel():case_receive(), first:channel():case_receive(),
                             tick:channel():case_receive(), second:channel():case_receive()}
    local who = r.channel == first:channel() and 'first' or r.channel == second:channel() and 'second'
        or r.channel == third:channel() and 'third' or 'tick'
    done[i] = who
    funcs.call('app:fn', who, i)
end
tick:stop()
return done
"""

FAMILY = """
local events, out = process.events(), {}
local pids = {}
for i = 1, 3 do pids[process.spawn('app:child', 'app:worker', i)] = i end
local value = process.exec('app:child', 'app:worker', 9)
for i = 1, 3 do
    local e = events:receive()
    out[i] = {pids[e.from], e.result.value}
    process.send(e.from, 'late', 1)
end
local ok, err = process.cancel('{app:client@app:worker|missing}', 'r')
return {out, value, err:kind(), require('workflow').version('change', 1, 4)}
"""

SIGNALS = """
local inbox, go = process.inbox(), process.listen('go')
local sum, waiting = 0, true
coroutine.spawn(function()
    for m in inbox:iter() do sum = sum + funcs.call('app:fn', m:payload():data()) end
end)
while waiting do
    local r = channel.select{go:case_receive(), time.after('1h'):case_receive()}
    waiting = r.channel ~= go
end
local events = process.events()
local e = events:receive()
return {sum, e.type, e.reason}
"""

UPGRADE = """
if a < 3 then
    local go = process.listen('go')
    go:receive()
    process.upgrade(nil, a + 1)
end
local inbox, got = process.inbox(), {}
for i = 1, 2 do got[i] = inbox:receive():payload():data() end
return got
"""

UPDATES = """
local inbox = process.inbox()
for _ = 1, 2 do
    local m = inbox:receive()
    process.send(m:from(), 'ack')
    process.send(m:from(), 'ok', funcs.call('app:fn', m:payload():data()))
end
process.send('nobody', 'x')
return 'done'
"""

OPTIONS = """
local workflow, out = require('workflow'), {}
local nobody = 'nobody-serves-this'
local o = {['workflow.memo'] = {n = 1}, ['workflow.priority'] = 2, ['workflow.parent_close_policy'] = 'abandon',
           ['workflow.summary'] = 's', ['workflow.versioning_override'] = 'auto_upgrade'}
local abandoned = process.with_options(o):spawn('Foreign', nobody, 1)
process.cancel(abandoned, 'not needed')
local _, cron = process.with_options{['workflow.cron_schedule'] = 'whenever'}:spawn('app:child', 'app:worker', 1)
local search = process.with_options{['workflow.search_attributes'] = {Nobody = 1}}
local _, unknown = search:spawn('app:child', 'app:worker', 1)
local _, none = process.spawn('app:nothing', 'app:worker')
local named = funcs.new():with_options{['activity.name'] = 'app:fn', ['activity.id'] = 'mine'}
out[1] = {cron:kind(), unknown:kind(), none:kind(), named:call('any:name', 5)}
workflow.attrs{memo = {status = 'done'}}
o = {['activity.start_to_close_timeout'] = 100, ['activity.retry_policy'] = {maximum_attempts = 1}}
local _, late = funcs.new():with_options(o):call('app:slow')
out[2] = {late:kind(), late:details().timeout_type, process.exec('app:child', workflow.info().task_queue, 4)}
return out
"""

FAILS = """
local payment, err = funcs.call('app:fails')
funcs.call('app:fn', err:message())
local t = funcs.async('app:slow')
time.sleep('20ms')
t:cancel()
time.sleep('20ms')
return nil, err
"""

SECRETS = """
local crypto = require('crypto')
local key, out, done = string.rep('k', 32), {}, channel.new(3)
local token = crypto.jwt.encode({sub = 'me', exp = time.now():unix() + 60}, 'secret')
for i = 1, 3 do
    coroutine.spawn(function()
        local sealed = crypto.encrypt.aes('text ' .. i, key)
        funcs.call('app:fn', crypto.random.string(8 * i), i)
        done:send({crypto.random.uuid(), #sealed, crypto.decrypt.aes(sealed, key)})
    end)
end
for i = 1, 3 do out[i] = done:receive() end
time.sleep('20ms')
return funcs.call('app:fn', {out, token, crypto.jwt.verify(token, 'secret').sub, crypto.random.bytes(4)})
"""

ANSWERS = """
local total, done = 0, false
local child = process.spawn('app:child', 'app:worker', 2)
coroutine.spawn(function()
    local increments = process.listen('increment', {message = true})
    while not done do
        local message = increments:receive()
        process.send(message:from(), 'ack')
        total = total + message:payload():data()
        process.send(message:from(), 'ok', {value = total})
        process.send(child, 'total', total)
        process.send(process.pid(), 'total', total)
    end
end)
process.listen('finish'):receive()
done = true
process.send('nobody', 'total', total)
funcs.call('app:fn', total)
return total
"""

CANCEL = """
local events, done = process.events(), channel.new(2)
coroutine.spawn(function()
    local value, err = funcs.call('app:lingers', 1)
    done:send(value or err:kind())
end)
local later = funcs.async('app:lingers', 2)
local reason = events:receive().reason
local called = done:receive()
return {reason, called, later:channel():receive():data()}
"""

VARIABLES = """
local later = funcs.async('app:named', 1)
local first = funcs.call('app:fn', 'before')
local go = process.listen('go')
later:response():receive()
go:receive()
return {first, funcs.call('app:named', 2), process.exec('app:named_child', 'app:worker', 3)}
"""

ASKS = """
local go = process.listen('go', {ask = {title = 'Go?', payloads = {Yes = {go = true}, No = {}}, due = '4h'}})
local none, err = process.listen('go', {ask = {due = 'soon'}})
funcs.call('app:fn', err and err:message() or 'ignored')
for i = 1, 2 do
    process.listen('go', {ask = {title = 'Go on with ' .. i, schema = {properties = {}}, prioritty = 1}})
    funcs.call('app:fn', channel.select{go:case_receive(), process.inbox():case_receive()}.value, i)
end
return 'over'
"""

Play = Callable[[Stage, str], Awaitable[None]]


async def alone(stage: Stage, pid: str) -> None:
    """Nothing comes from outside."""


async def signals(stage: Stage, pid: str) -> None:
    """Five numbers, two at once, then go, then a cancel."""
    for n in (1, 2):
        await stage.host.send(pid, "n", (n,), "")
    await asyncio.gather(*(stage.host.send(pid, "n", (n,), "") for n in (3, 4, 5)))
    await asyncio.sleep(0.5)
    await stage.host.send(pid, "go", (), "")
    await stage.waits_for(pid, "events")
    await stage.host.cancel(pid, "enough", "")


async def upgrade(stage: Stage, pid: str) -> None:
    """Two upgrades with messages that are not read yet."""
    for n in (1, 2):
        await stage.host.send(pid, "n", (n,), "")
    for _ in range(2):
        await stage.waits_for(pid, "topic", "go")
        await stage.host.send(pid, "go", (), "")


async def updates(stage: Stage, pid: str) -> None:
    """Two updates at once."""
    handle = stage.client.get_workflow_handle(workflow_id(pid))
    await asyncio.gather(*(handle.execute_update("add", n, id=f"u{n}") for n in (1, 2)))


async def answers(stage: Stage, pid: str) -> None:
    """Three numbers of a process that is gone, and an end."""
    nobody = f"{{{stage.node.id}@app:processes|0x7}}"
    for n in (2, 1, 4):
        await stage.host.send(pid, "increment", (n,), nobody)
    await stage.host.send(pid, "finish", (), "")


async def variables(stage: Stage, pid: str) -> None:
    """A variable changes on the way."""
    await stage.waits_for(pid, "topic", "go")
    stage.environ["REGION"] = "us"
    await stage.host.send(pid, "go", (), "")


async def asks(stage: Stage, pid: str) -> None:
    """Two answers."""
    for n in (1, 2):
        await stage.waits_for(pid, "topic", "go")
        await stage.host.send(pid, "go", (n,), "")


async def cancel(stage: Stage, pid: str) -> None:
    """A cancel while a call and a future are under way."""
    await stage.waits_for(pid, "events")
    await stage.host.cancel(pid, "enough", "")


SCENARIOS: dict[str, tuple[str, Play]] = {
    "pairs": (PAIRS, alone),
    "chance": (CHANCE, alone),
    "races": (RACES, alone),
    "family": (FAMILY, alone),
    "signals": (SIGNALS, signals),
    "upgrade": (UPGRADE, upgrade),
    "updates": (UPDATES, updates),
    "fails": (FAILS, alone),
    "options": (OPTIONS, alone),
    "secrets": (SECRETS, alone),
    "answers": (ANSWERS, answers),
    "cancel": (CANCEL, cancel),
    "variables": (VARIABLES, variables),
    "asks": (ASKS, asks),
}


def publish(stage: Stage, name: str) -> None:
    """Publish the workflow of a scenario and the functions that it calls."""
    stage.function("app:fn", "return b or a")
    stage.function("app:local", "time.sleep(a * 1000000) return a", temporal={"activity": {"local": True}})
    stage.function("app:lingers", "time.sleep('1s') return a")
    stage.function("app:slow", "process.events():receive() return 1")
    stage.function("app:fails", "return nil, 'declined'")
    stage.workflow("app:child", "return a * 2")
    stage.environ["REGION"] = "eu"
    stage.function("app:named", "return a", options={"activity": {"id": "${env:REGION}-call"}})
    stage.workflow("app:named_child", "return a", options={"workflow": {"id": "${env:REGION}-child"}})
    stage.workflow(f"app:{name}", SCENARIOS[name][0])


async def perform(stage: Stage, name: str, *, pinned: bool = True) -> str:
    """Run a scenario to its end; its pid. Without `pinned` it starts as a foreign client would start it."""
    publish(stage, name)
    if pinned:
        pid = await stage.spawn(f"app:{name}", 1)
    else:
        workflow = str(uuid.uuid4())
        await stage.client.start_workflow(f"app:{name}", 1, id=workflow, task_queue=stage.settings.task_queue)
        pid = stage.settings.pid(workflow)
    await SCENARIOS[name][1](stage, pid)
    await stage.exit(pid)
    return pid
