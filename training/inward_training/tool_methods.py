"""Tools of an environment as methods, from whose signatures TRL reads their schemas."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from inward_training.errors import RolloutsError

Message = dict[str, Any]
TYPES = {"string": str, "integer": int, "number": float, "boolean": bool, "array": list}


def method_of(tool: Message) -> Callable[..., str]:
    """A method with a tool's signature and docstring, which calls `_call` of its object.

    RolloutsError: a parameter that Python cannot name.
    """
    name, schema = tool["name"], tool.get("parameters") or {}
    needed = schema.get("required", ())
    # A schema may be `true`: anything.
    fields = {k: v if isinstance(v, dict) else {} for k, v in schema.get("properties", {}).items()}

    def method(self: Any, **arguments: Any) -> str:
        return str(self._call(name, arguments))

    described = [f"    {key}: {value.get('description') or key}" for key, value in fields.items()]
    kinds = {key: _kind(value, schema) for key, value in fields.items()}
    try:
        parameters = [
            inspect.Parameter(
                key,
                inspect.Parameter.KEYWORD_ONLY,
                annotation=kind,
                default=inspect.Parameter.empty if key in needed else fields[key].get("default"),
            )
            for key, kind in kinds.items()
        ]
        own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
        signature = inspect.Signature([own, *parameters], return_annotation=str)
    except ValueError as error:
        raise RolloutsError(
            f"the tool {name!r} has a parameter that is no name of Python ({error}): use"
            " inward_training.trl.rollout_func"
        ) from error
    method.__name__ = method.__qualname__ = name
    method.__doc__ = "\n".join([tool.get("description") or name, "", "Args:", *described])
    method.__annotations__ = {**kinds, "return": str}
    method.__signature__ = signature  # type: ignore[attr-defined]
    return method


def _kind(schema: Message, whole: Message) -> type:
    """Python's type for a JSON schema of `whole`; of several the first that is not null."""
    if "$ref" in schema:
        schema = whole.get("$defs", {}).get(schema["$ref"].removeprefix("#/$defs/"), {})
    named = schema.get("type")
    for kind in named if isinstance(named, list) else [named]:
        if kind in TYPES:
            return TYPES[kind]
    if values := schema.get("enum", [schema["const"]] if "const" in schema else []):
        return next((type(value) for value in values if type(value) in TYPES.values()), dict)
    parts = (part for key in ("anyOf", "oneOf", "allOf") for part in schema.get(key, ()))
    return next((kind for part in parts if (kind := _kind(part, whole)) is not dict), dict)
