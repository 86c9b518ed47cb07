"""docs/webhooks.md is followed literally, against the whole product with its examples; then everything is killed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, text_of
from tests.patience import PATIENCE
from tests.product import Product, running

WALK = re.findall(r"(?ms)^```sh\n(.*?)^```", text_of(ROOT / "docs" / "webhooks.md").partition("## Out")[0])
SECRET = "kept between the two"
TOKEN = (
    "from django.contrib.auth.models import User; from wippy_console.services import access_tokens as t; "
    "u = User.objects.get(username='admin'); print('token=' + t.make(u, u, 'walk', t.Limits())[1])"
)

needs_tools = pytest.mark.skipif(
    not all(map(shutil.which, ("curl", "jq", "openssl"))), reason="the walk needs curl, jq and openssl"
)


def said(product: Product, script: str, **variables: str) -> list[str]:
    around = {**product.environment, "CONSOLE": product.url, "HOOKS_SECRET": SECRET, **variables}
    done = subprocess.run(
        ["sh", "-euc", script], env=around, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split()


@needs_tools
def test_the_page_is_followed_also_when_everything_dies_between_two_requests(tmp_path: Path) -> None:
    start, goes_on, function = WALK
    with running(tmp_path / "data", HOOKS_SECRET=SECRET) as product:
        token = product.command("shell", "-c", TOKEN).stdout.rpartition("token=")[2].strip()
        (run,) = said(product, start)
        product.kill_everything()
        product.start()
        assert said(product, start) == [run], "the same delivery again is the same run"
        assert said(product, goes_on, RUN=run, TOKEN=token) == [
            "order-W-1001", "sent", '{"order":"W-1001","payment":"pay-77","status":"shipped"}',
        ]  # fmt: skip
        assert said(product, function) == ["40"]
