"""Values to payloads and back."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload

from engine.errors import Failure, UnitFailed
from engine.hosts.temporal.wire import headers, payloads
from engine.steps import Failed, Returned
from engine.testing import Driver, program_of

SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text() | st.binary()
FINITE = st.floats(allow_nan=False, allow_infinity=False)
KEYS = st.text(max_size=4) | st.sampled_from(["$bytes", "$failure", "$table", "$"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS | FINITE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@given(VALUES)
def test_a_value_comes_back_as_it_went(value: Any) -> None:
    back = payloads.decode(payloads.encode(value, "it"))
    assert back == value or (isinstance(value, bytes) and back == value.decode("utf-8"))


def test_nil_is_a_null_payload_and_bytes_are_binary() -> None:
    assert payloads.encode(None, "it").metadata["encoding"] == b"binary/null"
    assert payloads.encode(b"\xff\x00", "it").metadata["encoding"] == b"binary/plain"
    assert payloads.decode(payloads.encode(b"\xff\x00", "it")) == b"\xff\x00"


def test_a_failure_comes_back_as_a_failure_also_inside_a_table() -> None:
    failure = Failure("NotFound", "no order", retryable=False, details={"id": 7, "why": Failure("", "x")}, stack="s")
    assert payloads.decode(payloads.encode({"error": failure}, "it")) == {"error": failure}
    assert payloads.decode(payloads.encode(failure, "it")) == failure


def test_a_table_that_looks_like_a_tag_stays_a_table() -> None:
    tables: list[Any] = [{"$failure": {"kind": "x"}}, {"$bytes": "AA=="}, {"$table": {"$failure": {}}}, {"$": 1}]
    for value in tables:
        assert payloads.decode(payloads.encode(value, "it")) == value


def test_not_a_number_and_infinity_are_null() -> None:
    assert payloads.decode(payloads.encode([math.nan, math.inf, 1.5], "it")) == [None, None, 1.5]


def test_a_table_with_holes_is_refused_by_name() -> None:
    with pytest.raises(UnitFailed, match=r"argument 2 of app:fn can't be sent: .*holes"):
        payloads.encode_all(("x", {1: "a", 3: "b"}), "app:fn")


def test_a_large_value_is_refused_with_its_size_and_the_limit() -> None:
    with pytest.raises(UnitFailed) as caught:
        payloads.encode_all((1, "x" * 3_000_000), "app:fn")
    failure = caught.value.failure
    assert failure.kind == "Invalid"
    assert failure.retryable is False
    assert failure.message.startswith("argument 2 of app:fn is too large: 30000")
    assert failure.details["limit"] == payloads.MAX_PAYLOAD


def test_arguments_that_are_large_together_are_refused() -> None:
    with pytest.raises(UnitFailed, match="all arguments of app:fn is too large"):
        payloads.encode_all(("x" * 1_500_000, "y" * 1_500_000), "app:fn")


def test_the_same_table_has_the_same_bytes_in_any_order() -> None:
    assert payloads.encode({"a": 1, "b": 2}, "it") == payloads.encode({"b": 2, "a": 1}, "it")


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"{not json", "{not json"),
        (b"\xff\xfe", b"\xff\xfe"),
        (b"123456789012345678901234567890", 123456789012345678901234567890.0),
        (b"9223372036854775808", 9223372036854775808.0),
        (b"NaN", None),
        (b"[" * 100_000, "[" * 100_000),
        (b'{"$bytes": "no base64"}', {"$bytes": "no base64"}),
        (b'{"$failure": 1}', {"$failure": 1}),
    ],
)
def test_what_foreign_clients_send_never_breaks_a_run(data: bytes, value: Any) -> None:
    assert payloads.decode(Payload(metadata={"encoding": b"json/plain"}, data=data)) == value


def test_an_unknown_encoding_comes_as_text() -> None:
    assert payloads.decode(Payload(metadata={"encoding": b"json/strange"}, data=b"hello")) == "hello"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["$bytes", "$failure", "$table", "kind", "details", "topic", ""]), inner)
        | inner.map(lambda value: {"$failure": {"kind": value, "message": value, "details": value, "retryable": value}})
    ),
    max_leaves=12,
)
DATA = (
    JSON.map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=40)
    | st.sampled_from(
        [b"[" * 100_000, b"[" * 600 + b"]" * 600, b"9" * 5000, b'"\\ud800"', b"NaN", b"\xef\xbb\xbf1", b""]
    )
)
ENCODINGS = st.sampled_from(
    [b"json/plain", b"json/protobuf", b"binary/plain", b"binary/protobuf", b"binary/null", b"", b"\xff"]
)
ECHO = program_of("return function(...) return ... end")


@settings(max_examples=300, deadline=None)
@given(DATA, ENCODINGS)
def test_whatever_a_foreign_client_sends_a_unit_gets_a_value_or_a_clear_failure(data: bytes, encoding: bytes) -> None:
    payload = Payload(metadata={"encoding": encoding, "messageType": b"x"}, data=data)
    driver = Driver(ECHO, args=(payloads.decode(payload),))
    if isinstance(driver.status, Failed):
        assert "nested deeper" in driver.failure.message
    else:
        assert isinstance(driver.status, Returned)


@settings(max_examples=200, deadline=None)
@given(DATA)
def test_headers_of_foreign_clients_are_read_or_passed_over(data: bytes) -> None:
    head = dict.fromkeys(
        (headers.SENDER, headers.CONTEXT, headers.VERSION, headers.MESSAGES, headers.NODES),
        Payload(metadata={"encoding": b"json/plain"}, data=data),
    )
    assert isinstance(headers.text(head, headers.SENDER), str)
    assert isinstance(headers.number(head, headers.VERSION), int)
    for message in headers.messages(head):
        assert isinstance(message.topic, str)
    assert all(isinstance(node, str) for node in headers.nodes(head).values())
    driver = Driver(ECHO, context=headers.context(head))
    assert isinstance(driver.status, Returned) or "nested deeper" in driver.failure.message
