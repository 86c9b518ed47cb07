"""`enum`, `oneOf`, `anyOf` and types beside null: what there is to choose from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from wippy_console.forms.schema.choices import Choice, Option, has, labels_of
from wippy_console.forms.schema.fields import Flag
from wippy_console.forms.schema.references import Open, Part, References, UndrawableError, merged

_KINDS = {
    "string": "Text", "integer": "Whole number", "number": "Number", "boolean": "Yes or no",
    "array": "List", "object": "Fields", "null": "None",
}  # fmt: skip
_ABOUT = ("title", "description", "default", "examples", "oneOf", "anyOf", "discriminator")
_SHAPING = ("type", "properties", "items", "$ref", "const", "enum", "allOf", "oneOf", "anyOf", "format")


def types(part: Part) -> list[str]:
    """The types of a part, as far as they are said or plain."""
    given = part.get("type")
    if isinstance(given, str):
        return [given]
    if isinstance(given, list):
        return [kind for kind in given if isinstance(kind, str)]
    return ["object"] if isinstance(part.get("properties"), Mapping) else ["array"] if "items" in part else []


def is_shaped(part: Part) -> bool:
    """Whether it says enough to be drawn as more than a JSON text."""
    kinds = types(part)
    if parts(part) or _properties(part) or "const" in part or len(kinds) > 1:
        return True
    return bool(kinds) and kinds[0] != "object"


def parts(part: Part) -> list[Part]:
    """The alternatives of a part, [] when they only restrict what it says itself."""
    for key in ("oneOf", "anyOf"):
        found = part.get(key)
        if isinstance(found, list) and found and all(isinstance(each, Mapping) for each in found):
            shaping = [each for each in found if any(word in each for word in _SHAPING)]
            if len(shaping) == len(found) and not _restricts(part, found):
                return found
    return []


def _restricts(part: Part, found: Iterable[Part]) -> bool:
    """Beside a type of its own, alternatives without properties say nothing that could be drawn."""
    own = types(part)
    return bool(own and own != ["object"] and "type" in part and not any(_is_plain(each) for each in found))


def _is_plain(part: Part) -> bool:
    return any(word in part for word in ("type", "const", "enum", "$ref", "allOf"))


def split(part: Part, choices: Iterable[Part]) -> tuple[dict[str, Any], list[Part], bool]:
    """What the part says beside its alternatives, those that are not null, and whether null is one."""
    base = {key: value for key, value in part.items() if key not in ("oneOf", "anyOf")}
    if isinstance(base.get("type"), list):
        base.pop("type")
    listed = list(choices)
    real = [each for each in listed if types(each) != ["null"] and not _is_null(each)]
    return base, real, len(real) < len(listed)


def over(base: Part, choice: Part) -> dict[str, Any]:
    """One of several alternatives, with what holds for all; labels and defaults of the whole are not its own."""
    return merged({key: value for key, value in base.items() if key not in _ABOUT}, choice)


def options(part: Part, references: References, seen: Open) -> tuple[Option, ...]:
    """What to choose from, () when it is no choice between values."""
    labels = part.get("x-labels")
    if isinstance(part.get("enum"), list):
        return tuple(labels_of(part["enum"], labels))
    found = [_constants(each, references, seen) for each in parts(part)]
    listed = [option for each in found for option in each]
    return tuple(_relabelled(listed, labels)) if found and all(found) else ()


def _constants(part: Part, references: References, seen: Open) -> list[Option]:
    try:
        flat = references.flat(part, seen)[0]
    except UndrawableError:
        return []
    title, hint = str(flat.get("title") or ""), str(flat.get("description") or "")
    if "const" in flat or _is_null(flat):
        [option] = labels_of([flat.get("const")], None)
        return [Option(option.value, title or option.label, hint)]
    return list(labels_of(flat["enum"], flat.get("x-labels"))) if isinstance(flat.get("enum"), list) else []


def _relabelled(listed: list[Option], labels: Any) -> Iterable[Option]:
    named = labels_of([option.value for option in listed], labels) if labels else listed
    return [replace(option, label=other.label) for option, other in zip(listed, named, strict=True)]


def _is_null(part: Part) -> bool:
    return types(part) == ["null"] or ("const" in part and part["const"] is None)


def three_way(flag: Flag) -> Choice:
    """A box that may also be null."""
    return Choice(flag.face, options=(Option(True, "Yes"), Option(False, "No"), Option(None, "None")))


def with_null(choice: Choice) -> Choice:
    """A choice that may also be null."""
    listed = choice.options
    return choice if has(listed, None) else replace(choice, options=(*listed, Option(None, "None")))


def named(choice: Part, flat: Part, references: References, index: int) -> tuple[str, str]:
    """How one of several alternatives is called, and what is said of it."""
    constants = [
        value["const"] for value in _properties(flat).values() if isinstance(value, Mapping) and "const" in value
    ]
    kinds = types(flat)
    title = references.title(choice) or (str(constants[0]) if constants else "")
    plain = _KINDS.get(kinds[0], kinds[0]) if kinds else f"Alternative {index + 1}"
    return title or plain, str(choice.get("description") or flat.get("description") or "")


def told_apart(flat: Part, choice: Part, discriminator: Any) -> dict[str, Any]:
    """An alternative of objects, whose mark of being this one is a constant and no question."""
    about = discriminator if isinstance(discriminator, Mapping) else {}
    name = about.get("propertyName")
    mapping = about.get("mapping")
    by_ref = {ref: key for key, ref in mapping.items()} if isinstance(mapping, Mapping) else {}
    mark = by_ref.get(choice.get("$ref"))
    described = {key: _constant(value, mark if key == name else None) for key, value in _properties(flat).items()}
    return {**flat, "properties": described} if described else dict(flat)


def _constant(part: Any, mark: Any) -> Any:
    if not isinstance(part, Mapping) or "const" in part:
        return part
    if mark is not None:
        return {**part, "const": mark}
    only = part.get("enum")
    return (
        {**part, "const": only[0]} if isinstance(only, list) and len(only) == 1 and isinstance(only[0], str) else part
    )


def _properties(part: Part) -> Mapping[str, Any]:
    found = part.get("properties")
    return found if isinstance(found, Mapping) else {}
