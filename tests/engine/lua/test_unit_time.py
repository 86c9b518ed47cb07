"""The time module (docs/lua.md#time)."""

from __future__ import annotations

import pytest

from engine.errors import Failure
from engine.steps import CancelTimer, StartTimer, Value
from engine.testing import Driver, HandWorld


def run(text: str, *args: Value) -> Value:
    return Driver.of_source(f"local time = require('time') return {{main = function(...) {text} end}}", args=args).value


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1h30m", 5400 * 10**9),
        ("500ms", 5 * 10**8),
        ("1.5s", 15 * 10**8),
        ("-2m", -120 * 10**9),
        ("0", 0),
        ("24h", 86400 * 10**9),
        ("1us", 1000),
        ("2h30m45s500ms", 9045500 * 10**6),
        (".5s", 5 * 10**8),
    ],
)
def test_go_durations_are_read_exactly(text: str, ns: int) -> None:
    assert run("return time.parse_duration(...):nanoseconds()", text) == ns


@pytest.mark.parametrize("text", ["", "1", "h", "1x", "1h 2m", "1..5s", "--1s", "1e3s"])
def test_a_bad_duration_is_invalid(text: str) -> None:
    assert run("local d, err = time.parse_duration(...) return err:kind()", text) == "Invalid"


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (5445 * 10**9, "1h30m45s"),
        (0, "0s"),
        (1500000, "1.5ms"),
        (15 * 10**8, "1.5s"),
        (-60 * 10**9, "-1m0s"),
        (90, "90ns"),
    ],
)
def test_a_duration_prints_as_go_does(ns: int, text: str) -> None:
    assert run("return tostring(time.parse_duration(...))", ns) == text


def test_a_duration_converts() -> None:
    result = run(
        "local d = time.parse_duration('1h30m') return {d:hours(), d:minutes(), d:seconds(), "
        "d:milliseconds(), d:microseconds()}"
    )
    assert result == [1.5, 90.0, 5400.0, 5400000, 5400000000]


def test_sleep_starts_a_timer_and_returns_nothing() -> None:
    driver = Driver.of_source("return function() return select('#', require('time').sleep('24h')) end")
    assert driver.timers == {1: driver.world.now() + 86400 * 10**9}
    driver.advance(hours=23.9)
    assert driver.waiting
    driver.advance(hours=0.1)
    assert driver.value == 0


def test_a_sleep_of_nothing_makes_no_timer() -> None:
    driver = Driver.of_source("return function() require('time').sleep(0) require('time').sleep('-1s') return 'x' end")
    assert (driver.value, driver.timers) == ("x", {})


def test_a_bad_sleep_is_invalid() -> None:
    assert run("local _, err = time.sleep('soon') return err:kind()") == "Invalid"


def test_after_delivers_one_time_and_closes() -> None:
    source = (
        "return function() local time = require('time') local c = time.after('2s') local t, ok = "
        "c:receive() local _, more = c:receive() return {t:unix(), ok, more} end"
    )
    driver = Driver.of_source(source)
    start = driver.world.now() // 10**9
    driver.advance(2)
    assert driver.value == [start + 2, True, False]


@pytest.mark.parametrize("name", ["after", "timer", "ticker"])
@pytest.mark.parametrize("duration", [0, "-1s", "soon"])
def test_timers_refuse_what_is_no_positive_duration(name: str, duration: object) -> None:
    assert run(f"local c, err = time.{name}(...) return {{c == nil, err:kind()}}", duration) == [True, "Invalid"]


def test_a_timer_stops_and_resets() -> None:
    source = """return function() local time = require('time')
        local t = time.timer('5s')
        local first = t:stop()
        local again = t:stop()
        local idle = t:reset('3s')
        local value, ok = t:response():receive()
        return {first, again, idle, ok}
    end"""
    driver = Driver.of_source(source)
    driver.advance(3)
    assert driver.value == [True, False, False, True]


def test_a_stopped_timer_is_cancelled_at_the_host() -> None:
    driver = Driver.of_source(
        "return function() local t = require('time').timer('5s') t:stop() process.inbox():receive() end"
    )
    assert driver.timers == {}


def test_a_ticker_ticks_without_drift_until_stopped() -> None:
    source = """return function() local time = require('time')
        local t, seen = time.ticker('2s'), {}
        for i = 1, 3 do seen[i] = t:response():receive():unix() end
        t:stop()
        return seen
    end"""
    driver = Driver.of_source(source)
    start = driver.world.now() // 10**9
    driver.advance(10)
    assert driver.value == [start + 2, start + 4, start + 6]


@pytest.mark.parametrize(
    ("layout", "text"),
    [
        ("2006-01-02T15:04:05Z07:00", "2024-02-29T13:04:05Z"),
        ("Mon Jan _2 15:04:05 2006", "Thu Feb 29 13:04:05 2024"),
        ("3:04PM", "1:04PM"),
        ("Monday, 02-Jan-06 15:04:05 MST", "Thursday, 29-Feb-24 13:04:05 UTC"),
        ("2006.01.02 .000", "2024.02.29 .120"),
        ("15h04 January 2, 06 -0700", "13h04 February 29, 24 +0000"),
        ("002 __2", "060  60"),
    ],
)
def test_layouts_format(layout: str, text: str) -> None:
    assert run("return time.date(2024, 2, 29, 13, 4, 5, 120000000, time.utc):format(...)", layout) == text


@pytest.mark.parametrize(
    ("layout", "text", "unix"),
    [
        ("2006-01-02T15:04:05Z07:00", "2024-12-29T15:04:05Z", 1735484645),
        ("2006-01-02T15:04:05Z07:00", "2024-12-29T15:04:05.5+02:00", 1735477445),
        ("2006-01-02", "2024-12-29", 1735430400),
        ("Mon, 02 Jan 2006 15:04:05 -0700", "Sun, 29 Dec 2024 15:04:05 +0530", 1735464845),
        ("2006-01-02 3:04PM", "2024-12-29 12:00AM", 1735430400),
    ],
)
def test_layouts_parse(layout: str, text: str, unix: int) -> None:
    assert run("return time.parse(...):unix()", layout, text) == unix


@pytest.mark.parametrize("text", ["invalid", "2024-13-01", "2024-02-30", "2024-01-01x", ""])
def test_a_bad_date_is_invalid(text: str) -> None:
    assert run("local t, err = time.parse('2006-01-02', ...) return err:kind()", text) == "Invalid"


def test_time_zones_are_bundled() -> None:
    source = """
        local ny = time.load_location('America/New_York')
        local t = time.date(2024, 7, 1, 12, 0, 0, 0, ny)
        return {t:utc():format(time.RFC3339), t:format(time.RFC3339), t:format('MST'), ny:string(),
        t:in_location(time.utc):hour()}
    """
    assert run(source) == ["2024-07-01T16:00:00Z", "2024-07-01T12:00:00-04:00", "EDT", "America/New_York", 16]


@pytest.mark.parametrize(
    ("name", "kind"), [("", "Invalid"), ("Nowhere/Land", "NotFound"), ("../../etc/passwd", "NotFound")]
)
def test_an_unknown_zone_is_an_error(name: str, kind: str) -> None:
    assert run("local l, err = time.load_location(...) return err:kind()", name) == kind


def test_a_fixed_zone_has_its_offset() -> None:
    assert (
        run("return time.date(2024, 1, 15, 12, 0, 0, 0, time.fixed_zone('IST', 19800)):format(time.RFC3339)")
        == "2024-01-15T12:00:00+05:30"
    )


def test_calendar_arithmetic_overflows_as_in_go() -> None:
    source = (
        "local t = time.date(2024, 1, 31, 0, 0, 0, 0, time.utc) return {t:add_date(0, 1, "
        "0):format(time.DATE_ONLY), t:add('24h'):format(time.DATE_ONLY), t:add_date(-1, 0, "
        "-31):format(time.DATE_ONLY)}"
    )
    assert run(source) == ["2024-03-02", "2024-02-01", "2022-12-31"]


def test_instants_compare_and_subtract() -> None:
    source = (
        "local a, b = time.unix(10), time.unix(12, 5) return {a:before(b), a:after(b), "
        "a:equal(time.unix(10)), a == time.unix(10), a < b, b:sub(a):nanoseconds(), b:unix_nano()}"
    )
    assert run(source) == [True, False, True, True, True, 2000000005, 12000000005]


def test_rounding_needs_a_duration_and_counts_from_the_zero_time() -> None:
    source = (
        "local t = time.date(2024, 1, 1, 10, 40, 0, 0, time.utc) local h = "
        "time.parse_duration('1h') return {t:round(h):hour(), t:truncate(h):hour(), "
        "(pcall(t.round, t, '1h'))}"
    )
    assert run(source) == [11, 10, False]


def test_the_zero_time_is_known() -> None:
    assert run("return {time.date(1, 1, 1, 0, 0, 0, 0, time.utc):is_zero(), time.now():is_zero()}") == [True, False]


def test_now_is_the_hosts_clock() -> None:
    world = HandWorld(clock=1_735_484_645 * 10**9 + 7)
    driver = Driver.of_source(
        "return function() local n = require('time').now() return {n:unix_nano(), os.time()} end", world=world
    )
    assert driver.value == [1_735_484_645 * 10**9 + 7, 1_735_484_645]


def test_a_pending_timer_of_a_cancelled_wait_is_not_awaited_twice() -> None:
    source = (
        "return function() local time = require('time') local t = time.timer('1s') t:reset('5s') "
        "t:response():receive() return time.now():unix() end"
    )
    driver = Driver.of_source(source)
    start = driver.world.now() // 10**9
    driver.advance(10)
    assert driver.value == start + 5
    assert StartTimer not in map(type, driver.commands)
    assert CancelTimer not in map(type, driver.commands)
    assert not isinstance(driver.status, Failure)
