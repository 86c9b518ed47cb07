from __future__ import annotations

import pytest

from engine.durations import format_duration, option_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("0", 0),
        ("250ms", 250_000_000),
        ("1h30m", 5_400_000_000_000),
        ("1.5s", 1_500_000_000),
        ("-2us", -2_000),
        (".5ms", 500_000),
        ("", None),
        ("5", None),
        ("1 s", None),
        ("1d", None),
        ("9999999h", None),
    ],
)
def test_go_durations_are_read_exactly_or_refused(text: str, nanoseconds: int | None) -> None:
    assert parse_duration(text) == nanoseconds


def test_an_option_number_is_milliseconds() -> None:
    assert option_duration(50) == 50_000_000
    assert option_duration(0.5) == 500_000
    assert option_duration("2s") == 2_000_000_000
    assert option_duration(True) is None
    assert option_duration(float("nan")) is None


def test_formatting_is_read_back_unchanged() -> None:
    for nanoseconds in (0, 1, 1_500, 90_000_000_000, 3_661_000_000_007, -5_000_000):
        assert parse_duration(format_duration(nanoseconds)) == nanoseconds
