"""What a client of version 1 relies on: the document of the API may grow, and nothing in it may go or narrow.

`.venv/bin/python -m tests.api.contract` takes additions into the stored copy.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

STORED = Path(__file__).with_name("v1.json")
COMMAND = ".venv/bin/python -m tests.api.contract"
_BOUNDS = {"minimum": 1, "minLength": 1, "minItems": 1, "maximum": -1, "maxLength": -1, "maxItems": -1}


def document() -> dict[str, Any]:
    """As it is now."""
    from wippy_console.api import v1

    found: dict[str, Any] = json.loads(json.dumps(v1.api.get_openapi_schema()))
    return found


def stored() -> dict[str, Any]:
    """As it was told to clients."""
    found: dict[str, Any] = json.loads(STORED.read_text("utf-8"))
    return found


def breaks(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Where a client that knows the old document would fail by the new one."""
    return list(_Compared(old, new).all())


class _Compared:
    def __init__(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        self.old, self.new = old, new
        self._seen: set[tuple[str, str, bool]] = set()

    def all(self) -> Iterator[str]:
        for path, methods in self.old["paths"].items():
            for method, was in methods.items():
                now = self.new["paths"].get(path, {}).get(method)
                where = f"{method.upper()} {path}"
                if now is None:
                    yield f"{where} is gone"
                else:
                    yield from self._operation(where, was, now)

    def _operation(self, where: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
        before = {(each["in"], each["name"]): each for each in was.get("parameters", [])}
        after = {(each["in"], each["name"]): each for each in now.get("parameters", [])}
        for key, each in after.items():
            if each.get("required") and not before.get(key, {}).get("required"):
                yield f"{where}: {key[1]} is required now"
        for key, each in before.items():
            if key not in after:
                yield f"{where}: the parameter {key[1]} is gone"
            else:
                yield from self._schema(f"{where}: {key[1]}", each["schema"], after[key]["schema"], sent=True)
        if "requestBody" in now and "requestBody" not in was:
            yield f"{where}: it takes a body now"
        yield from self._contents(f"{where}: body", was.get("requestBody", {}), now.get("requestBody", {}), sent=True)
        for status, answer in was["responses"].items():
            if status not in now["responses"]:
                yield f"{where}: the answer {status} is gone"
            else:
                yield from self._contents(f"{where}: {status}", answer, now["responses"][status], sent=False)

    def _contents(self, where: str, was: Mapping[str, Any], now: Mapping[str, Any], *, sent: bool) -> Iterator[str]:
        for kind, content in was.get("content", {}).items():
            if kind not in now.get("content", {}):
                yield f"{where}: {kind} is gone"
            else:
                after = now["content"][kind].get("schema", {})
                yield from self._schema(where, content.get("schema", {}), after, sent=sent)

    def _schema(self, where: str, was: Any, now: Any, *, sent: bool) -> Iterator[str]:
        """`sent` by clients, who need what they send to be taken; or else told to them."""
        if "$ref" in was and "$ref" in now:
            names = was["$ref"], now["$ref"], sent
            if names in self._seen:
                return
            self._seen.add(names)
        was, now = _resolved(self.old, was), _resolved(self.new, now)
        before, after = _types(was), _types(now)
        if (before - after if sent else after - before) and (after or sent) and (before or not after):
            yield f"{where}: it was {_words(before)} and is {_words(after)}"
        gone = {str(each) for each in was.get("enum", ())} - {str(each) for each in now.get("enum", ())}
        if gone and ("enum" in now or not sent):
            yield f"{where}: {', '.join(sorted(gone))} is gone"
        yield from self._bounds(where, was, now, sent=sent)
        yield from self._fields(where, was, now, sent=sent)
        if "items" in was and "items" in now:
            yield from self._schema(f"{where}[]", was["items"], now["items"], sent=sent)

    def _bounds(self, where: str, was: Any, now: Any, *, sent: bool) -> Iterator[str]:
        for name, sign in _BOUNDS.items() if sent else ():
            if name in now and (name not in was or now[name] * sign > was[name] * sign):
                yield f"{where}: {name} is narrower"

    def _fields(self, where: str, was: Any, now: Any, *, sent: bool) -> Iterator[str]:
        fields = now.get("properties", {})
        for name, told in was.get("properties", {}).items():
            if name not in fields:
                yield f"{where}.{name} is gone"
            else:
                yield from self._schema(f"{where}.{name}", told, fields[name], sent=sent)
        needed, before = set(now.get("required", ())), set(was.get("required", ()))
        for name in sorted(needed - before if sent else before - needed):
            if sent or name in fields:
                yield f"{where}.{name} is {'required' if sent else 'not always there'} now"


def _resolved(document: Mapping[str, Any], schema: Any) -> Any:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    choices = schema.get("anyOf", ())
    inner = [each for each in choices if each.get("type") != "null"]
    if len(inner) == 1:
        found = _resolved(document, inner[0])
        return {**found, "type": [*_types(found), *(["null"] if len(choices) > 1 else [])]}
    return schema


def _types(schema: Any) -> frozenset[str]:
    found = schema.get("type", ())
    return frozenset([found] if isinstance(found, str) else found)


def _words(types: frozenset[str]) -> str:
    return " or ".join(sorted(types)) or "anything"


def main() -> None:
    """Store the document, unless it breaks what is stored."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    new = document()
    if STORED.exists() and (found := breaks(stored(), new)):
        raise SystemExit("This is no addition; v1 may not change so:\n" + "\n".join(found))
    STORED.write_text(json.dumps(new, indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
