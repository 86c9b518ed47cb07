"""Values too large to be kept whole, where one line tells of them."""

from temporalio.api.common.v1 import Payload

from engine.hosts.temporal.wire.payloads import encode
from wippy_console.database.storable import preview
from wippy_console.services import summaries
from wippy_console.services.timeline import payloads
from wippy_console.templatetags.console import brief

LONG = {"text": "x" * 100_000}


def test_a_line_tells_the_beginning_and_the_size_of_a_cut_value_not_what_stands_for_it() -> None:
    line = brief(preview(LONG), 60)
    assert line.startswith('{"text": "xxx') and line.endswith("x… (100012 bytes in all)") and len(line) <= 60


def test_a_small_value_of_the_same_shape_is_told_as_it_is() -> None:
    assert brief({"preview": "a cat", "bytes": 3}) == '{"preview": "a cat", "bytes": 3}'


def test_a_row_of_the_timeline_is_not_summed_up_by_the_name_of_its_payload() -> None:
    assert summaries.telling([payloads.value(encode(LONG, "a result"))]).startswith('{"text":"xxx')
    raw = Payload(metadata={"encoding": b"binary/plain"}, data=b"\x89PNG\r\n\x1a\n" + b"\0" * 92)
    assert summaries.telling([payloads.value(raw)]) == "PNG image, 100 bytes"
