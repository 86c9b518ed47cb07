"""What times say on a page that no script draws again."""

import re
from datetime import UTC, datetime, timedelta

from wippy_console.templatetags.console import moment


def _said(ago: timedelta, how: str) -> str:
    return re.sub("<[^>]+>", "", moment(datetime.now(UTC) - ago, how))


def test_how_long_something_goes_on_is_said_as_a_length_of_time() -> None:
    assert _said(timedelta(days=3, hours=4, minutes=30), "since") == "3 d 4 h"


def test_other_times_name_their_zone() -> None:
    assert _said(timedelta(days=1), "ago").endswith(" UTC")
