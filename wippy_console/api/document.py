"""The OpenAPI document of the API: what every operation has, beside what its function declares."""

from __future__ import annotations

from typing import Any

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from wippy_console.api.door import WRITES
from wippy_console.api.problems import MEDIA_TYPE
from wippy_console.services.repeats import LONGEST_KEY

_PROBLEM: dict[str, Any] = {
    "title": "Problem",
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["title", "status", "detail"],
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "one sentence for people"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["in", "path", "message"],
                "properties": {
                    "in": {"type": "string", "enum": ["body", "query", "path", "header"]},
                    "path": {"type": "string", "description": "a JSON pointer into that part"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}
_REFUSED = {
    "description": "Refused or failed; 401 for strangers, 429 over the rate, 503 with Retry-After when a part is away.",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "description": "The same key with the same request again gets the answer of the first, for a day.",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[ -~]+$"},
}


class DocumentedAPI(NinjaAPI):
    """An API whose document tells of what `door` does."""

    def get_openapi_operation_id(self, operation: Any) -> str:
        """Its noun and its name, and nothing of where we keep it."""
        return f"{operation.view_func.__module__.rpartition('.')[2]}_{operation.view_func.__name__}"

    def get_openapi_schema(self, **kwargs: Any) -> OpenAPISchema:
        """The document."""
        schema = super().get_openapi_schema(**kwargs)
        schema["components"]["schemas"]["Problem"] = _PROBLEM
        for path in schema["paths"].values():
            for method, operation in path.items():
                operation["responses"]["default"] = _REFUSED
                if method.upper() in WRITES:
                    operation["parameters"] = [*operation.get("parameters", []), _KEY]
        return schema
