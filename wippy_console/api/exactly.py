"""JSON in and out without a changed digit."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, cast

from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest
from ninja.errors import HttpError
from ninja.parser import Parser
from ninja.renderers import BaseRenderer
from pydantic import BaseModel

from wippy_console.services import exact


class ExactParser(Parser):
    """Reads bodies as forms read JSON: what can't be kept as it is written is refused."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        """What the door has read: ninja would put other words in the place of ours."""
        return cast("dict[str, Any]", request.read_body)  # type: ignore[attr-defined]


def read_body(request: HttpRequest) -> Any:
    """The value of the body; HttpError 415 or 400."""
    if request.content_type != "application/json":
        raise HttpError(415, "Send JSON: Content-Type: application/json.")
    try:
        return exact.json_value(request.body.decode())
    except UnicodeDecodeError:
        raise HttpError(400, "The body is not UTF-8.") from None
    except exact.NotExactError as error:
        raise HttpError(400, f"The body can't be read: {error}") from None


class _Encoder(DjangoJSONEncoder):
    """Times keep their microseconds."""

    def default(self, o: Any) -> Any:
        """What JSON has no form for."""
        match o:
            case BaseModel():
                return o.model_dump(mode="json")
            case Decimal():
                return str(o)
        return o.isoformat().replace("+00:00", "Z") if hasattr(o, "isoformat") else super().default(o)


class ExactRenderer(BaseRenderer):
    """Whole numbers with all digits, no NaN."""

    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> Any:
        """The text of the value."""
        return json.dumps(data, cls=_Encoder, allow_nan=False, ensure_ascii=False)
