"""Values too large to be kept whole, and lists too long to be shown whole, where little room tells of them."""

from django.template.loader import render_to_string
from temporalio.api.common.v1 import Payload

from engine.hosts.temporal.wire.payloads import encode
from wippy_console.database.storable import preview
from wippy_console.models import Run
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


def test_the_summary_of_a_run_folds_waits_after_the_sixth() -> None:
    waits = [{"kind": "timer", "name": f"nap {number}", "deadline": None} for number in range(9)]
    text = render_to_string("runs/waits.html", {"run": Run(waiting=waits, waiting_totals={"timer": 9})})
    shown, folded = text.split("3 more")
    assert "nap 5" in shown and "nap 6" not in shown and "nap 8" in folded
