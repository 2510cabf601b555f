"""A specification is checked before any renderer sees it.

`lint` walks it along the tables of `schema`, within the counts of `budgets`. It is the first of
three walls: the worker process has limits on CPU time and memory and can open no file or socket,
and the laid-out size is checked before pixels are made.
"""

from __future__ import annotations

import json
from typing import Any

from inward_rewards.charts.specification import limits, schema
from inward_rewards.charts.specification.budgets import Budget
from inward_rewards.charts.specification.refusal import refuse, show
from inward_rewards.charts.specification.repeats import unrolled
from inward_rewards.charts.specification.schema import dropped, property_of
from inward_rewards.charts.specification.still import still
from inward_rewards.charts.specification.values import (
    are_numbers,
    check_dashes,
    check_number,
    check_side,
    check_text,
    check_word,
)


def parse(text: str) -> Any:
    """The JSON of a specification. Raises `RenderError` for any other text."""
    # Escapes and white space may stretch the text of a small specification.
    if len(text) > 8 * limits.MAX_SPEC_BYTES:
        refuse(f"the specification has {len(text)} characters: add up or thin out its rows")
    try:
        return json.loads(text)
    except RecursionError:
        refuse(f"objects and lists are nested deeper than {limits.MAX_DEPTH}")
    except ValueError as error:
        refuse(f"the specification is not JSON: {error}")


def lint(spec: Any) -> dict[str, Any]:
    """The specification without what has no effect, ready for the renderer.

    Raises `RenderError`, with the reason and what to write instead, where it breaks a rule of
    `schema` or `limits`.
    """
    if not isinstance(spec, dict):
        refuse("the specification is not a JSON object")
    try:
        size = len(json.dumps(spec, allow_nan=False, ensure_ascii=False).encode())
    except ValueError:
        refuse("NaN, Infinity or text that is not Unicode is not allowed")
    except RecursionError:
        size = 0
    if size > limits.MAX_SPEC_BYTES:
        refuse(
            f"the specification has {size} bytes, more than {limits.MAX_SPEC_BYTES}: add up or "
            "thin out its rows"
        )
    if not _shallow(spec):
        refuse(f"objects and lists are nested deeper than {limits.MAX_DEPTH}")
    linter = _Linter()
    clean = linter.view(unrolled(still(spec)))
    if linter.budget.marks == 0:
        refuse("the specification draws no mark: write 'mark' and 'encoding'")
    return clean


def _shallow(spec: dict[str, Any]) -> bool:
    level: list[Any] = [spec]
    for _ in range(limits.MAX_DEPTH):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, dict | list)
        ]
        if not level:
            return True
    return False


class _Linter:
    """One pass over one specification."""

    def __init__(self) -> None:
        self.budget = Budget()
        self._parts = {
            "views": self._views,
            "view": lambda view, _: self.view(view),
            "data": lambda data, _: self._data(data),
            "datasets": lambda datasets, _: self._datasets(datasets),
            "mark": lambda mark, _: self._mark(mark),
            "encoding": lambda encoding, _: self._encoding(encoding),
            "facet": lambda facet, _: self._facet(facet),
            "transforms": lambda transforms, _: self._transforms(transforms),
            "side": check_side,
            "style": self.style,
        }

    def view(self, spec: Any) -> dict[str, Any]:
        if not isinstance(spec, dict):
            refuse(f"a view is not an object: {show(spec)}")
        for key in spec:
            if key not in schema.VIEW and key not in schema.DROPPED:
                mend = schema.REFUSED_IN_VIEW.get(key, f"it holds {', '.join(schema.VIEW)}")
                refuse(f"property {show(key)} is not allowed in a view: {mend}")
        written = [key for key in ("datasets", "data") if key in spec]
        written += [key for key in spec if key not in schema.DROPPED and key not in written]
        clean = {
            key: self._parts[schema.VIEW[key]](spec[key], key)
            for key in written
            # A page that is not there has no width to fill.
            if not (schema.VIEW[key] == "side" and spec[key] == "container")
        }
        if "encoding" in clean:
            clean["encoding"] = _on_logarithms(clean["encoding"], clean.get("mark"))
        return clean

    def _views(self, views: Any, key: str) -> list[Any]:
        if not isinstance(views, list) or len(views) > limits.MAX_MARKS:
            refuse(f"{key!r} must be a list of at most {limits.MAX_MARKS} views")
        return [self.view(child) for child in views]

    def _datasets(self, datasets: Any) -> dict[str, Any]:
        if not isinstance(datasets, dict):
            refuse("'datasets' must be an object of row lists")
        return {check_text(name): self._rows(rows) for name, rows in datasets.items()}

    def _data(self, data: Any) -> Any:
        if data is None:
            return None
        extra = sorted(set(data) - schema.DATA) if isinstance(data, dict) else []
        if extra or not isinstance(data, dict):
            refuse(f"data must be inline rows in 'values'{f', not {extra[0]!r}' if extra else ''}")
        clean: dict[str, Any] = {}
        if "name" in data:
            clean["name"] = check_text(data["name"])
        if "values" in data:
            clean["values"] = self._rows(data["values"])
        if "format" in data:
            clean["format"] = self._data_format(data["format"])
        return clean

    def _data_format(self, data_format: Any) -> dict[str, Any]:
        if not isinstance(data_format, dict) or not set(data_format) <= schema.FORMAT:
            refuse("data 'format' may hold 'parse' and 'type' only")
        if data_format.get("type", "json") != "json":
            refuse("data 'format' type must be 'json'")
        clean = self._object({k: v for k, v in data_format.items() if k != "parse"}, "format")
        parse_as = data_format.get("parse")
        if isinstance(parse_as, dict):
            # Its names are fields, which may be called as any property is.
            clean["parse"] = {
                check_text(f): self.style(how, "parse") for f, how in parse_as.items()
            }
        elif "parse" in data_format:
            clean["parse"] = self.style(parse_as, "parse")
        return clean

    def _rows(self, rows: Any) -> list[Any]:
        if not isinstance(rows, list):
            refuse('\'values\' must be a list of rows, as [{"a": 1}, {"a": 2}]')
        self.budget.rows(len(rows))
        for row in rows:
            cells = row if isinstance(row, dict) else {"data": row}
            if len(cells) > limits.MAX_FIELDS:
                refuse(
                    f"a data row has more than {limits.MAX_FIELDS} fields: leave out those that "
                    "are not drawn"
                )
            for name, cell in cells.items():
                check_text(name)
                if isinstance(cell, str):
                    check_text(cell)
                elif isinstance(cell, dict | list):
                    refuse(
                        f"field {show(name)}: a data cell must be a number, a string or null: "
                        "write a field or a row for each part"
                    )
                elif cell is not None:
                    check_number(cell, "data")
                self.budget.cell(name, cell)
        return rows

    def _mark(self, mark: Any) -> Any:
        self.budget.mark()
        kind = mark.get("type") if isinstance(mark, dict) else mark
        if not isinstance(kind, str) or kind not in limits.MARKS:
            refuse(f"mark {show(kind)} is not one of {', '.join(sorted(limits.MARKS))}")
        return self.style(mark, "mark") if isinstance(mark, dict) else mark

    def _encoding(self, encoding: Any) -> dict[str, Any]:
        if not isinstance(encoding, dict):
            refuse("'encoding' must be an object")
        clean = {}
        for channel, definition in encoding.items():
            if channel in schema.DROPPED:
                continue
            if channel not in limits.CHANNELS:
                mend = schema.REFUSED.get(channel) or (
                    f"write one of {', '.join(sorted(limits.CHANNELS))}"
                )
                refuse(f"encoding channel {show(channel)} is not allowed: {mend}")
            if isinstance(definition, str):
                refuse(
                    f"encoding channel {channel!r} must be an object, not {show(definition)}: "
                    'write {"field": …, "type": …}'
                )
            row_or_column = channel in ("row", "column", "facet")
            clean[channel] = (self._parts["facet"] if row_or_column else self.style)(
                definition, channel
            )
        return clean

    def _facet(self, facet: Any) -> Any:
        clean = self.style(facet, "facet")
        if not isinstance(clean, dict):
            refuse("a facet must be an object with a field")
        parts = (clean, clean.get("row"), clean.get("column"))
        fields = [part.get("field") for part in parts if isinstance(part, dict)]
        self.budget.facets([field for field in fields if isinstance(field, str)])
        return clean

    def _transforms(self, transforms: Any) -> list[Any]:
        if not isinstance(transforms, list):
            refuse("'transform' must be a list")
        self.budget.transforms(len(transforms))
        for transform in transforms:
            if not isinstance(transform, dict) or not limits.TRANSFORMS & set(transform):
                keys = transform if isinstance(transform, dict) else ()
                kind = next((key for key in keys if key not in schema.TRANSFORM), transform)
                refuse(
                    f"transform {show(kind)} is not one of {', '.join(sorted(limits.TRANSFORMS))}: "
                    "write the rows that it gives in the data"
                )
            for key in transform:
                if key not in schema.TRANSFORM:
                    refuse(f"transform property {show(key)} is not allowed: leave it out")
            if "fold" in transform:
                if not isinstance(transform["fold"], list):
                    refuse("'fold' must be a list of fields")
                self.budget.fold(transform["fold"])
        clean: list[Any] = self.style(transforms, "transform")
        return clean

    def style(self, node: Any, key: str) -> Any:
        """The value of any other property, by what `schema.property_of` says of its name."""
        kind = property_of(key)
        if kind.takes and not isinstance(node, kind.takes):
            refuse(f"{key!r} must be {kind.what}, not {show(node)}")
        if isinstance(node, dict):
            return self._object(node, key)
        if isinstance(node, list):
            if len(node) > limits.MAX_LIST:
                refuse(f"{show(key)} has more than {limits.MAX_LIST} entries: write fewer")
            return check_dashes(node) if key == "strokeDash" else [self.style(x, key) for x in node]
        if isinstance(node, str):
            return check_word(node, key, kind)
        if isinstance(node, int | float) and not isinstance(node, bool):
            check_number(node, key)
        return node

    def _object(self, node: dict[str, Any], key: str) -> dict[str, Any]:
        clean: dict[str, Any] = {}
        for name, value in node.items():
            check_text(name)
            if name in schema.REFUSED:
                refuse(f"property {show(name)} is not allowed: {schema.REFUSED[name]}")
            if dropped(name, inside=key):
                continue
            if name == "bin":
                self._bin(value, node.get("field"))
            # A text mark may print any number.
            clean[name] = self.style(value, "text" if (key, name) == ("text", "value") else name)
        return clean

    def _bin(self, bin_: Any, field: Any) -> None:
        if isinstance(bin_, bool | str) or bin_ is None:
            return
        if not isinstance(bin_, dict) or not set(bin_) <= schema.BIN:
            refuse(f"'bin' may hold {', '.join(sorted(schema.BIN))} only")
        bins = bin_.get("maxbins", 10)
        if not isinstance(bins, int) or not 1 <= bins <= limits.MAX_BINS:
            refuse(f"'maxbins' must be a whole number from 1 to {limits.MAX_BINS}")
        extent = bin_.get("extent")
        if extent is not None and not (are_numbers(extent) and len(extent) == 2):
            refuse("bin 'extent' must be a list of two numbers")
        if "step" in bin_:
            step = bin_["step"]
            self.budget.bins(step if are_numbers([step]) else 0, field, extent)


def _on_logarithms(encoding: dict[str, Any], mark: Any) -> dict[str, Any]:
    """Bars and areas on a logarithmic axis begin where it does: stacked from 0, none is drawn."""
    kind = mark.get("type") if isinstance(mark, dict) else mark
    if kind not in ("bar", "area"):
        return encoding

    def unstacked(channel: str, definition: Any) -> Any:
        scale = definition.get("scale") if isinstance(definition, dict) else None
        log = channel in ("x", "y") and isinstance(scale, dict) and scale.get("type") == "log"
        if not log or "stack" in definition or f"{channel}2" in encoding:
            return definition
        return {**definition, "stack": None}

    return {channel: unstacked(channel, part) for channel, part in encoding.items()}
