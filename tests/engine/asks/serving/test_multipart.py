"""Forms with files: as browsers and libraries send them, and as nobody should."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.asks.serving.multipart import MAX_PARTS, Part, parts
from engine.errors import INVALID, UnitFailed
from tests.engine.asks.serving.stage import request, said

TYPE = "multipart/form-data; boundary=b"
LINE = b"\r\n"


def form(*fields: tuple[bytes, bytes], boundary: bytes = b"b") -> bytes:
    """A body of (head, content)."""
    made = b"".join(b"--" + boundary + LINE + head + LINE + LINE + content + LINE for head, content in fields)
    return made + b"--" + boundary + b"--" + LINE


def named(name: str, content: bytes = b"x", more: bytes = b"") -> tuple[bytes, bytes]:
    """A field or file."""
    return b'Content-Disposition: form-data; name="' + name.encode() + b'"' + more, content


def read(body: bytes, content_type: str = TYPE) -> list[tuple[str, str, bytes]]:
    """Name, filename, content of each part."""
    return [(each.name, each.filename, body[each.start : each.end]) for each in parts(content_type, body)]


def refused(body: bytes, content_type: str = TYPE) -> str:
    """What is said of it."""
    with pytest.raises(UnitFailed) as caught:
        parts(content_type, body)
    failure = caught.value.failure
    assert failure.kind == INVALID and failure.details == {"type": "PARSE_FAILED"}
    return failure.message


def sent(**options: Any) -> tuple[str, bytes]:
    """What a library makes of it."""
    made = httpx.Request("POST", "http://here", **options)
    return made.headers["content-type"], made.read()


async def test_a_form_has_values_and_files() -> None:
    kind, body = sent(
        data={"title": "Report", "tag": ["a", "b"], "none": ""},
        files=[
            ("doc", ("a.txt", b"first", "text/plain")),
            ("doc", ("b.bin", b"\xff\x00--\r\n", "application/octet-stream")),
            ("picture", ("p.png", b"", "image/png")),
        ],
    )
    found = await said(
        r"""
        local form, err = req:parse_multipart(8 * 1024 * 1024)
        assert(form, err)
        local files = {}
        for field, list in pairs(form.files) do
          for _, file in ipairs(list) do
            local stream = assert(file:stream())
            files[#files + 1] = table.concat({
              field, file:name(), file:size(), file:header("CONTENT-type"), tostring(file:header("none")),
              #(stream:read() or ""), tostring(stream:close()),
            }, " ")
          end
        end
        local stream = assert(form.files.doc[2]:stream())
        local binary = stream:read(3) == "\xff\x00-" and stream:read() == "-\r\n"
        return {values = form.values, files = files, binary = binary}
        """,
        request(body, kind),
    )
    assert found["values"] == {"title": "Report", "tag": ["a", "b"], "none": ""} and found["binary"] is True
    assert sorted(found["files"]) == [
        "doc a.txt 5 text/plain nil 5 true",
        "doc b.bin 6 application/octet-stream nil 6 true",
        "picture p.png 0 image/png nil 0 true",
    ]


@pytest.mark.parametrize(
    "kind", ["application/json", "application/x-www-form-urlencoded", "multipart/mixed; boundary=b"]
)
async def test_what_is_no_form_with_files_is_invalid(kind: str) -> None:
    body = "local form, err = req:parse_multipart(); return {form == nil, err:kind(), err:details().type}"
    assert await said(body, request(form(named("a")), kind)) == [True, INVALID, "PARSE_FAILED"]


def test_forms_as_they_come() -> None:
    assert read(b"--b--") == [] and read(b"preamble\r\n--b--\r\nepilogue") == []
    assert read(form(named("a"))) == [("a", "", b"x")]
    assert read(b"--b  \r\n" + form(named("a"))[5:]) == [("a", "", b"x")], "padding behind a boundary"
    assert read(form(named("a", b""))) == [("a", "", b"")]
    assert read(form(named("a", b"\r\n--bc\r\n--\r\n"))) == [("a", "", b"\r\n--bc\r\n--\r\n")], "a longer text is none"
    assert read(form(named("a"), boundary=b"x y"), 'Multipart/Form-Data; charset=utf-8; boundary="x y"') == [
        ("a", "", b"x")
    ]
    assert read(b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\n--b--") in ([("a", "", b"")],)


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        (b'; filename="a.txt"', "a.txt"),
        (b"; filename=a.txt", "a.txt"),
        (b'; FILENAME="a\\"b;c.txt"', 'a"b;c.txt'),
        (b'; filename="C:\\\\Users\\\\me\\\\a.txt"', "a.txt"),
        (b'; filename="C:\\Users\\me\\a.txt"', "a.txt"),
        (b'; filename="../../etc/passwd"', "passwd"),
        (b"; filename=\"x\"; filename*=UTF-8''h%C3%A4%2F..%2Fb.txt", "b.txt"),
        (b"; filename*=latin1''x", ""),
        (b'; filename=""', ""),
        (b'; filename="h\xc3\xa4.txt"', "hä.txt"),
        (b'; filename="\xff.txt"', "\ufffd.txt"),
    ],
)
def test_names_of_files(more: bytes, wanted: str) -> None:
    assert read(form(named("a", more=more))) == [("a", wanted, b"x")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--",
        b"--b",
        b"--b\r\n",
        b"--b\r\n\r\n",
        b"--b\r\n" + named("a")[0],
        b"--b\r\n" + named("a")[0] + b"\r\n\r\nx",
        b"--b\r\n" + named("a")[0] + b"\r\n\r\nx\r\n--b",
        b"--b\r\n" + named("a")[0] + b"\r\n\r\nx\r\n--b\r\n",
        form(named("a"))[:-4],
        form(named("a")).replace(b"\r\n", b"\n"),
        form((b"Content-Type: text/plain", b"x")),
        form((b'Content-Disposition: attachment; name="a"', b"x")),
        form((b"Content-Disposition: form-data", b"x")),
        form((b"no colon", b"x")),
        form(named("a", more=b"; x=" + b"y" * 9000)),
        form(*[named("a")] * (MAX_PARTS + 1)),
        b"--b\r\n" * 100_000,
        b"\r\n--b" * 100_000,
    ],
    ids=range(19),
)
def test_a_body_that_is_no_form_is_refused(body: bytes) -> None:
    assert refused(body).startswith("multipart: ")


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary=""',
        "multipart/form-data; boundary=" + "b" * 71,
        'multipart/form-data; boundary="b "',
        'multipart/form-data; boundary="b\x00"',
        "multipart/form-data; boundary=\xe4",
        "multipart/form-data" + '; a="' * 5000,
        "multipart/form-data" + ";" * 50_000,
    ],
)
def test_a_type_without_a_boundary_is_refused(kind: str) -> None:
    assert "boundary" in refused(form(named("a")), kind)


@given(st.lists(st.tuples(st.text("abcä ;=%", min_size=1), st.binary()), max_size=5))
def test_what_was_sent_is_read(fields: list[tuple[str, bytes]]) -> None:
    body = form(*(named(name, content) for name, content in fields), boundary=b"no content has this")
    content_type = 'multipart/form-data; boundary="no content has this"'
    assert read(body, content_type) == [(name, "", content) for name, content in fields]


@given(
    st.binary(max_size=200) | st.lists(st.sampled_from([b"--b", b"--", LINE, b":", b'name="a"', b"x"])).map(b"".join)
)
def test_any_body_is_read_or_refused(body: bytes) -> None:
    try:
        found = parts(TYPE, body)
    except UnitFailed:
        return
    assert all(isinstance(each, Part) and 0 <= each.start <= each.end <= len(body) for each in found)
