from __future__ import annotations

import math
from typing import Any

import pytest

from engine.asks.http import urls
from engine.asks.http.redirects import next_hop
from engine.asks.http.requests import Request
from engine.asks.streams import read_count
from engine.errors import INVALID, UnitFailed


def of(url: str = "https://a.example/x", **options: Any) -> Request:
    return Request.of({"method": "GET", "url": url, **options})


def refused(**options: Any) -> str:
    with pytest.raises(UnitFailed) as raised:
        of(**options)
    assert raised.value.failure.kind == INVALID and raised.value.failure.retryable is False
    return str(raised.value)


def header(request: Request, name: str) -> bytes | None:
    return next((text for key, text in request.headers if key.lower() == name.lower().encode()), None)


@pytest.mark.parametrize(
    "url",
    [
        "", "ftp://a/", "file:///etc/passwd", "http://", "//a/", "http:///x", "http://a b/", "http://a/\r\nX: y",
        "http://a\\@b/", "http://a/\\..", "http://[::1", "http://a:99999/", "http://a:0/", "http://a%00b/",
        "http://[fe80::1%25eth0]/", "gopher://a/", "http://①②⑦.⓪.⓪.①/",
        "http://a/?" + "ü" * 16_000,
    ],
)  # fmt: skip
def test_what_is_no_url_is_invalid(url: str) -> None:
    assert "url" in refused(url=url)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("https://A.Example:443/x", "https://a.example/x"),
        ("https://a/public/../admin", "https://a/admin"),
        ("https://a/public/%2e%2E/admin", "https://a/admin"),
        ("https://a/%61dmin%2fx%7E?q=%61", "https://a/admin%2Fx~?q=%61"),
        ("https://bücher.example/ü?ü=%C3%BC", "https://xn--bcher-kva.example/%C3%BC?%C3%BC=%C3%BC"),
        ("https://user:pass@a/x?k=1#part", "https://a/x?k=1"),
        ("https://trusted.example@evil.example/", "https://evil.example/"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
    ],
)
def test_policies_see_what_is_requested(text: str, seen: str) -> None:
    assert str(of(text).url) == seen


def test_errors_and_pages_show_neither_credentials_nor_query() -> None:
    request = of("https://user:pass@a.example/x?token=secret", query={"key": "hidden"})
    assert request.what == "GET https://a.example/x"
    assert urls.shown(urls.read_url("https://u:p@a/x?y")) == "https://a/x"


def test_a_query_is_added_in_the_order_of_names() -> None:
    assert str(of("https://a/x?z=0", query={"q": "lua & co", "b": 2, "l": ["x", "y"]}).url) == (
        "https://a/x?z=0&b=2&l=x&l=y&q=lua+%26+co"
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"X": "a\r\nEvil: 1"}, {"X\r\nEvil": "1"}, {"X": "a\nb"}, {"X": "a\0"}, {"": "x"}, {"X Y": "1"}, {"X:": "1"},
        {"Transfer-Encoding": "chunked"}, {"Connection": "upgrade"}, {"Proxy-Authorization": "x"}, {"Upgrade": "h2c"},
        {"X": {"a": 1}}, "text", {1: "x"},
    ],
)  # fmt: skip
def test_headers_break_no_lines_and_leave_the_connection_alone(headers: Any) -> None:
    assert "headers" in refused(headers=headers)


def test_host_and_length_are_made_of_the_request() -> None:
    request = of(headers={"Host": "internal.example", "Content-Length": "999", "X-Own": "1"})
    assert header(request, "host") is None and header(request, "content-length") is None
    assert header(request, "x-own") == b"1"


@pytest.mark.parametrize("cookies", [{"a": "b; c=d"}, {"a": "b\r\nX: y"}, {"a b": "c"}, {"a=": "c"}])
def test_cookies_hold_one_value_each(cookies: Any) -> None:
    assert "cookies" in refused(cookies=cookies)


def test_credentials_come_of_the_option_or_of_the_url() -> None:
    assert header(of(auth={"user": "admin", "pass": "s"}), "authorization") == b"Basic YWRtaW46cw=="
    assert header(of("https://admin:s@a/"), "authorization") == b"Basic YWRtaW46cw=="
    assert header(of("https://admin@a/"), "authorization") == b"Basic YWRtaW46"
    assert "auth" in refused(auth={"user": "a:b", "pass": "c"})


def test_a_form_and_its_files_become_a_body() -> None:
    form = of(form={"b": "ü&", "a": True})
    assert form.body == b"a=true&b=%C3%BC%26" and header(form, "content-type") == b"application/x-www-form-urlencoded"
    files = of(form={"t": "x"}, files=[{"name": "f", "filename": 'a"\r\n.pdf', "content": b"\xff\x00"}])
    assert (header(files, "content-type") or b"").startswith(b"multipart/form-data; boundary=")
    assert b'filename="a%22%0D%0A.pdf"' in files.body and b"\r\n\r\n\xff\x00\r\n" in files.body


def test_options_that_dont_fit_are_invalid() -> None:
    assert "body" in refused(body="x", form={"a": "b"})
    assert "body" in refused(body={"a": 1})
    assert "files" in refused(files=[{"name": "x"}])
    assert "timeout" in refused(timeout="soon")
    assert "timeout" in refused(timeout=-1)
    assert "timeout" in refused(timeout="2h")
    assert "stream" in refused(stream="yes")
    for wrong in (1.5, -1, math.nan, math.inf, True):
        assert "max_response_body" in refused(max_response_body=wrong)
        with pytest.raises(UnitFailed, match="size"):
            read_count(wrong)
    assert of(max_response_body=1 << 40).max_body == of().max_body
    assert "unix_socket" in refused(unix_socket="../x")
    assert "tls" in refused(tls={"cert": "x"})
    assert "method" in refused(method="GET / HTTP/1.1")
    assert "CONNECT" in refused(method="connect")


def test_a_timeout_is_seconds_or_a_duration() -> None:
    assert (
        of(timeout=2.5).seconds == 2.5 and of(timeout="1m30s").seconds == 90 and of().seconds == of(timeout=0).seconds
    )


class Redirect:
    def __init__(self, status: int, location: str) -> None:
        self.status, self.headers = status, {"location": location}


def redirected(request: Request, status: int, location: str) -> Request:
    hop = next_hop(request, Redirect(status, location))  # type: ignore[arg-type]
    assert hop is not None
    return request.after(hop)


SECRETS = {"Authorization": "Bearer s", "X-Api-Key": "s", "Accept": "text/plain"}


def test_another_origin_gets_no_credentials() -> None:
    for location in ("https://b.example/", "http://a.example/", "https://a.example:8443/"):
        request = redirected(of(headers=SECRETS, cookies={"c": "s"}, tls={"server_name": "x"}), 302, location)
        assert [name for name, _ in request.headers] == [b"Accept", b"User-Agent"] and request.tls is None, location


def test_credentials_dont_come_back_with_the_first_origin() -> None:
    begun = {"method": "GET", "url": "https://a.example/", "headers": SECRETS}
    away = next_hop(Request.of(begun), Redirect(302, "https://b.example/"))  # type: ignore[arg-type]
    assert away is not None
    back = next_hop(Request.of({**begun, "hop": away.to_value()}), Redirect(302, "https://a.example/"))  # type: ignore[arg-type]
    assert back is not None and back.foreign
    assert header(Request.of({**begun, "hop": back.to_value()}), "authorization") is None


def test_the_same_origin_keeps_them() -> None:
    assert header(redirected(of(headers=SECRETS), 302, "/y"), "authorization") == b"Bearer s"


def test_a_body_goes_on_only_where_the_status_says_so() -> None:
    post = Request.of({"method": "POST", "url": "https://a.example/", "form": {"a": "b"}})
    seen = redirected(post, 303, "/done")
    assert (seen.method, seen.body, header(seen, "content-type")) == ("GET", b"", None)
    kept = redirected(post, 307, "/again")
    assert (kept.method, kept.body) == ("POST", b"a=b")
    with pytest.raises(UnitFailed, match="from https to http"):
        redirected(post, 307, "http://a.example/")
