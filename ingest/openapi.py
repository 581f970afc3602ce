"""The JSON schema of a msgspec type in the dialect of OpenAPI 3.0, whole, without references. Pure."""

from typing import Any

import msgspec

_REFERENCE = "#/components/"


def schema_of(kind: type) -> dict[str, Any]:
    [schema], components = msgspec.json.schema_components([kind], ref_template=f"{_REFERENCE}{{name}}")
    inlined: dict[str, Any] = _plain(schema, components)
    return inlined


def _plain(node: Any, components: dict[str, Any]) -> Any:
    """References become what they refer to; "or null" becomes `nullable`, as 3.0 spells it."""
    if isinstance(node, list):
        return [_plain(item, components) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        referred = components[node["$ref"].removeprefix(_REFERENCE)]
        return _plain(referred | {key: value for key, value in node.items() if key != "$ref"}, components)
    plain = {key: _plain(value, components) for key, value in node.items() if key != "title"}
    if plain.get("required") == []:
        del plain["required"]
    return _nullable(plain) if {"type": "null"} in plain.get("anyOf", []) else plain


def _nullable(node: dict[str, Any]) -> dict[str, Any]:
    options = [option for option in node.pop("anyOf") if option != {"type": "null"}]
    return node | (options[0] if len(options) == 1 else {"anyOf": options}) | {"nullable": True}
