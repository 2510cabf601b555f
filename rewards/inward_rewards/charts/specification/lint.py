"""A specification is checked before any renderer sees it.

`lint` knows the Vega-Lite properties that load, loop, grow or run something and refuses them; the
rest is bounded in size. It is the first of three walls: the worker process has limits on CPU time
and memory and can open no file or socket, and the laid-out size is checked before pixels are made.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from inward_rewards.charts.errors import RenderError
from inward_rewards.charts.specification import limits
from inward_rewards.charts.specification.repeats import unrolled
from inward_rewards.charts.specification.still import still

VIEW_KEYS = limits.names(
    "mark encoding layer hconcat vconcat concat facet spec data datasets transform title name "
    "width height background padding autosize config view columns resolve spacing align "
    "bounds center"
)
DROPPED = frozenset({"$schema", "usermeta", "description", "tooltip", "aria", "cursor", "key"})
"""Without effect on the picture; fonts are dropped as well, every chart is lettered alike."""
BANNED = {
    "url": "write the rows in 'values', and no picture",
    "href": "leave it out",
    "params": "write the values where they are used",
    "param": "write what it selects",
    "selection": "write what it selects",
    "signal": "write the value itself",
    "signals": "write the values where they are used",
    "expr": "write the value itself",
    "repeat": "it must stand beside 'spec'",
    "projection": "maps are not drawn",
    "impute": "write the missing rows in the data",
    "locale": "write 'format'",
    "gradient": "write one colour",
    "blend": "leave it out",
    "customFormatTypes": "write 'format'",
    "bins": "write 'bin', or rows with the bins' ends",
    "clamp": "write a 'domain' that holds the data",
}
"""Properties that load, loop, grow or run something, and what to write in place of each."""
COMPUTE = "write the rows that it gives in the data"
BY_LOT = limits.names("ci ci0 ci1")
"""Confidence intervals: Vega draws samples for them, so no two drawings are alike."""
TITLES = ("title", "text", "subtitle")
"""Texts that may have several lines."""
DATA_NUMBERS = limits.names(
    "data values domain domainMin domainMax domainMid datum equal lt lte gt gte range oneOf "
    "step tickMinStep unionWith constant year text"
)
"""Under these keys a number is in the data's units; under any other it is a size or a count."""
NUMERIC = re.compile(
    r"(?:opacity|width|height|(?<!auto)size|padding|offset|angle|radius|zindex|limit|thickness"
    r"|tension|translate|labelflush|minextent|maxextent|length|separation|position|exponent|base"
    r"|constant|columns|(?:^|title|legend)[xy]|[xy]2|d[xy]|padding(?:inner|outer))$",
    re.IGNORECASE,
)
"""Where these properties hold text, the compiler would take it for an expression, or for none."""
WORDS = limits.names("zero center normalize width height container independent shared")
"""What such a property may say in place of a number."""
TRANSFORM_KEYS = limits.TRANSFORMS | limits.names(
    "as field frame groupby ignorePeers limit offset op sort value"
)
BIN_KEYS = limits.names("maxbins step nice binned extent")
DECIMAL = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d{1,2})?", re.IGNORECASE)
TICK_INTERVALS = limits.names("day week month quarter year")
TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)
        |(?P<name>[A-Za-z_]\w*)
        |(?P<string>'[^'\\]*'|"[^"\\]*")
        |(?P<sign>===|!==|==|!=|<=|>=|&&|\|\||[-+*/%<>!?:,.()\[\]]))""",
    re.VERBOSE,
)
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\uf8ff\ufffe\uffff]")


def refuse(reason: str) -> NoReturn:
    raise RenderError(reason)


def parse(text: str) -> Any:
    """The JSON of a specification. Raises `RenderError` for any other text."""
    # Escapes and white space may stretch the text of a small specification.
    if len(text) > 8 * limits.MAX_SPEC_BYTES:
        refuse(f"the specification has {len(text)} characters")
    try:
        return json.loads(text)
    except RecursionError:
        refuse(f"objects and lists are nested deeper than {limits.MAX_DEPTH}")
    except ValueError as error:
        refuse(f"the specification is not JSON: {error}")


def lint(spec: Any) -> dict[str, Any]:
    """The specification without what has no effect, ready for the renderer.

    Raises `RenderError`, with the reason, where it breaks a rule of `limits` or of this module.
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
        refuse(f"the specification has {size} bytes, more than {limits.MAX_SPEC_BYTES}")
    if not _shallow(spec):
        refuse(f"objects and lists are nested deeper than {limits.MAX_DEPTH}")
    linter = _Linter()
    clean = linter.view(unrolled(still(spec)))
    if linter.marks == 0:
        refuse("the specification draws no mark")
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
    """One pass over one specification: the counts that hold over all its views."""

    def __init__(self) -> None:
        self.rows = 0
        self.marks = 0
        self.transforms = 0
        self.folds = 1
        self.values: dict[str, set[str]] = {}
        self.spans: dict[str, tuple[float, float]] = {}

    def view(self, spec: Any) -> dict[str, Any]:
        if not isinstance(spec, dict):
            refuse(f"a view is not an object: {_show(spec)}")
        for key in spec:
            if key not in VIEW_KEYS | DROPPED:
                mend = f": {BANNED[key]}" if key in BANNED else ""
                refuse(f"property {_show(key)} is not allowed in a view{mend}")
        clean: dict[str, Any] = {}
        # Data first: bin steps and facets are judged by it.
        for key in ("datasets", "data"):
            if key in spec:
                clean[key] = getattr(self, f"_{key}")(spec[key])
        for key, value in spec.items():
            if key in DROPPED or key in clean:
                continue
            if key in ("layer", "hconcat", "vconcat", "concat"):
                if not isinstance(value, list) or len(value) > limits.MAX_MARKS:
                    refuse(f"{key!r} must be a list of at most {limits.MAX_MARKS} views")
                clean[key] = [self.view(child) for child in value]
            elif key == "spec":
                clean[key] = self.view(value)
            elif key in ("width", "height"):
                # A page that is not there has no width to fill.
                if value != "container":
                    clean[key] = _side(key, value)
            elif key == "mark":
                clean[key] = self._mark(value)
            elif key == "encoding":
                clean[key] = _on_logarithms(self._encoding(value), spec.get("mark"))
            elif key == "facet":
                clean[key] = self._facet(value)
            elif key == "transform":
                clean[key] = self._transform(value)
            else:
                clean[key] = self.walk(value, key)
        return clean

    def _datasets(self, datasets: Any) -> dict[str, Any]:
        if not isinstance(datasets, dict):
            refuse("'datasets' must be an object of row lists")
        return {_text(name): self._rows(rows) for name, rows in datasets.items()}

    def _data(self, data: Any) -> Any:
        if data is None:
            return None
        if not isinstance(data, dict) or not set(data) <= {"values", "name", "format"}:
            extra = (
                sorted(set(data) - {"values", "name", "format"}) if isinstance(data, dict) else []
            )
            refuse(f"data must be inline rows in 'values'{f', not {extra[0]!r}' if extra else ''}")
        clean: dict[str, Any] = {}
        if "name" in data:
            clean["name"] = _text(data["name"])
        if "values" in data:
            clean["values"] = self._rows(data["values"])
        if "format" in data:
            if not isinstance(data["format"], dict) or not set(data["format"]) <= {"parse", "type"}:
                refuse("data 'format' may hold 'parse' and 'type' only")
            if data["format"].get("type", "json") != "json":
                refuse("data 'format' type must be 'json'")
            clean["format"] = self.walk(data["format"], "format")
        return clean

    def _rows(self, rows: Any) -> list[Any]:
        if not isinstance(rows, list):
            refuse('\'values\' must be a list of rows, as [{"a": 1}, {"a": 2}]')
        self.rows += len(rows)
        if self.rows > limits.MAX_ROWS:
            refuse(f"more than {limits.MAX_ROWS} data rows: add up or thin out")
        for row in rows:
            cells = row if isinstance(row, dict) else {"data": row}
            if len(cells) > limits.MAX_FIELDS:
                refuse(f"a data row has more than {limits.MAX_FIELDS} fields")
            for name, cell in cells.items():
                _text(name)
                if isinstance(cell, str):
                    _text(cell)
                elif isinstance(cell, dict | list):
                    refuse(
                        f"field {_show(name)}: a data cell must be a number, a string or null: "
                        "write a field or a row for each part"
                    )
                elif cell is not None:
                    self._number(cell, "data")
                    low, high = self.spans.get(name, (cell, cell))
                    self.spans[name] = (min(low, cell), max(high, cell))
                self.values.setdefault(name, set()).add(repr(cell))
        return rows

    def _mark(self, mark: Any) -> Any:
        self.marks += 1
        if self.marks > limits.MAX_MARKS:
            refuse(f"more than {limits.MAX_MARKS} marks")
        kind = mark.get("type") if isinstance(mark, dict) else mark
        if not isinstance(kind, str) or kind not in limits.MARKS:
            refuse(f"mark {_show(kind)} is not one of {', '.join(sorted(limits.MARKS))}")
        return self.walk(mark, "mark") if isinstance(mark, dict) else mark

    def _encoding(self, encoding: Any) -> dict[str, Any]:
        if not isinstance(encoding, dict):
            refuse("'encoding' must be an object")
        clean = {}
        for channel, definition in encoding.items():
            if channel in DROPPED:
                continue
            if channel not in limits.CHANNELS:
                refuse(f"encoding channel {_show(channel)} is not allowed")
            if channel in ("row", "column", "facet"):
                clean[channel] = self._facet(definition)
            else:
                clean[channel] = self.walk(definition, channel)
        return clean

    def _facet(self, facet: Any) -> Any:
        clean = self.walk(facet, "facet")
        if not isinstance(clean, dict):
            refuse("a facet must be an object with a field")
        cells = 1
        for part in (clean, clean.get("row"), clean.get("column")):
            if isinstance(part, dict) and isinstance(part.get("field"), str):
                cells *= max(1, len(self.values.get(part["field"], ())))
        if cells > limits.MAX_FACETS:
            refuse(f"{cells} facets, more than {limits.MAX_FACETS}")
        return clean

    def _transform(self, transforms: Any) -> list[Any]:
        if not isinstance(transforms, list):
            refuse("'transform' must be a list")
        self.transforms += len(transforms)
        if self.transforms > limits.MAX_TRANSFORMS:
            refuse(f"more than {limits.MAX_TRANSFORMS} transforms")
        for transform in transforms:
            if not isinstance(transform, dict) or not limits.TRANSFORMS & set(transform):
                keys = transform if isinstance(transform, dict) else ()
                kind = next((key for key in keys if key not in TRANSFORM_KEYS), transform)
                names = ", ".join(sorted(limits.TRANSFORMS))
                refuse(f"transform {_show(kind)} is not one of {names}: {COMPUTE}")
            for key in transform:
                if key not in TRANSFORM_KEYS:
                    refuse(f"transform property {_show(key)} is not allowed")
            if "fold" in transform:
                self._fold(transform)
        clean: list[Any] = self.walk(transforms, "transform")
        return clean

    def _fold(self, transform: dict[str, Any]) -> None:
        names = transform["fold"]
        if not isinstance(names, list):
            refuse("'fold' must be a list of fields")
        # One fold may take what another made.
        self.folds *= max(1, len(names))
        if self.rows * self.folds > limits.MAX_FOLDED:
            refuse(f"fold makes more than {limits.MAX_FOLDED} rows")

    def walk(self, node: Any, key: str) -> Any:
        """Any other property: bounded, with the known ways to load, loop or run refused."""
        if isinstance(node, dict):
            return self._object(node, key)
        if isinstance(node, list):
            if len(node) > limits.MAX_LIST:
                refuse(f"{_show(key)} has more than {limits.MAX_LIST} entries")
            if key == "strokeDash" and len(node) == 2 and _numbers(node) and node[1] == 0:
                return []
            if key == "strokeDash" and (
                len(node) > limits.MAX_DASHES
                or not all(isinstance(x, int | float) and x >= limits.MIN_DASH for x in node)
            ):
                refuse(
                    f"'strokeDash' must be at most {limits.MAX_DASHES} numbers of at least "
                    f"{limits.MIN_DASH}, or [1, 0] for a whole line"
                )
            return [self.walk(item, key) for item in node]
        if isinstance(node, str):
            return self._string(node, key)
        if isinstance(node, int | float) and not isinstance(node, bool):
            self._number(node, key)
        return node

    def _object(self, node: dict[str, Any], key: str) -> dict[str, Any]:
        clean: dict[str, Any] = {}
        for name, value in node.items():
            _text(name)
            if name in BANNED:
                refuse(f"property {_show(name)} is not allowed: {BANNED[name]}")
            if (name in DROPPED and key != "config") or name == "font" or name.endswith("Font"):
                continue
            if name in ("aggregate", "op", "extent") and isinstance(value, str) and value in BY_LOT:
                refuse(
                    f"{name} {value!r} is drawn by chance: write 'stderr' or 'stdev', or rows with "
                    "the two ends and y and y2"
                )
            if name == "formatType" and value not in ("number", "time"):
                refuse("'formatType' must be 'number' or 'time'")
            if name == "bin":
                self._bin(value, node)
            if name in ("tickCount", "nice") and isinstance(value, dict):
                refuse(f"{name!r} must be a number or the name of an interval")
            # A text mark may print any number, and `parse` has names of fields for its properties.
            inner = "text" if (key, name) == ("text", "value") else name
            clean[name] = self.walk(value, key if key == "parse" else inner)
        return clean

    def _bin(self, bin_: Any, around: dict[str, Any]) -> None:
        if isinstance(bin_, bool | str) or bin_ is None:
            return
        if not isinstance(bin_, dict) or not set(bin_) <= BIN_KEYS:
            refuse(f"'bin' may hold {', '.join(sorted(BIN_KEYS))} only")
        most = bin_.get("maxbins", 10)
        if not isinstance(most, int) or not 1 <= most <= limits.MAX_BINS:
            refuse(f"'maxbins' must be a whole number from 1 to {limits.MAX_BINS}")
        extent = bin_.get("extent")
        if extent is not None and not (_numbers(extent) and len(extent) == 2):
            refuse("bin 'extent' must be a list of two numbers")
        if "step" in bin_:
            step, name = bin_["step"], around.get("field")
            span = self.spans.get(name) if isinstance(name, str) else None
            low, high = extent or span or (0.0, float("inf"))
            if not _numbers([step]) or step <= 0 or (high - low) / step > limits.MAX_BINS:
                refuse(
                    f"bin 'step' must be a number that makes at most {limits.MAX_BINS} bins of a "
                    "field of the data"
                )

    def _string(self, text: str, key: str) -> Any:
        _text(text)
        if key in ("calculate", "filter", "test", "and", "or", "not", "labelExpr"):
            _expression(text)
        elif NUMERIC.search(key) and text not in WORDS:
            if not DECIMAL.fullmatch(text):
                refuse(f"{_show(key)} must be a number, not {_show(text)}")
            self._number(float(text), key)
            return float(text)
        elif key in TITLES and "\n" in text:
            return text.split("\n")
        elif key == "field" and re.search(r"[.\[\]\\'\"]", text):
            refuse(f"field {_show(text)}: a field name may not hold . [ ] \\ or quotes: rename it")
        elif key == "format" or key.endswith("Format"):
            _format(text)
        elif key in ("shape", "symbolType") and text not in limits.SHAPES:
            refuse(f"shape {_show(text)} is not one of {', '.join(sorted(limits.SHAPES))}")
        elif key == "range" and re.match(r"\s*[Mm][\s\d.,-]", text):
            refuse("a path as a shape is not allowed")
        elif key in ("tickCount", "nice") and text not in TICK_INTERVALS:
            refuse(f"{key} {_show(text)} is not one of {', '.join(sorted(TICK_INTERVALS))}")
        elif "url(" in text.lower() and key != "text":
            refuse("'url(' is not allowed")
        return text

    def _number(self, number: float, key: str) -> None:
        if key == "spacing" and number < 0:
            refuse("'spacing' must not be negative")
        most: float = limits.MAX_STYLE_NUMBER
        if key in DATA_NUMBERS:
            most = limits.MAX_NUMBER
        elif key in ("tickCount", "nice"):
            most = limits.MAX_TICKS
        elif key in ("size", "rangeMin", "rangeMax"):
            most = limits.MAX_AREA
        elif key.lower().endswith("fontsize"):
            most = limits.MAX_FONT_SIZE
        if abs(number) > most:
            refuse(f"{_show(key)}: {_show(number)} is more than the most, {most:g}")


def _numbers(values: Any) -> bool:
    return isinstance(values, list) and all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in values
    )


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


def _side(key: str, value: Any) -> Any:
    if isinstance(value, str) and DECIMAL.fullmatch(value):
        value = float(value)
    if isinstance(value, dict):
        step = value.get("step")
        if (
            set(value) <= {"step", "for"}
            and isinstance(step, int | float)
            and (limits.MIN_STEP <= step <= limits.MAX_STEP)
        ):
            return value
    elif (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and limits.MIN_SIDE <= value <= limits.MAX_SIDE
    ):
        return value
    refuse(
        f"{key} must be a number from {limits.MIN_SIDE} to {limits.MAX_SIDE}, or a step from "
        f"{limits.MIN_STEP} to {limits.MAX_STEP}, not {_show(value)}"
    )


def _text(text: Any) -> str:
    if not isinstance(text, str):
        refuse(f"{_show(text)} must be a string")
    if len(text) > limits.MAX_STRING:
        refuse(f"a string has more than {limits.MAX_STRING} characters, shorten it: {_show(text)}")
    if CONTROL.search(text):
        refuse(f"control or private-use characters are not allowed: {_show(text)}")
    return text


def _format(text: str) -> None:
    """Refuses d3 formats that pad without end or write control characters."""
    if re.search(r"\d{3}", text) or (text.endswith("c") and "%" not in text):
        refuse(f"format {_show(text)} is not allowed")


def _expression(text: str) -> None:
    """Refuses what is not arithmetic, comparison or a listed function over `datum`."""
    if len(text) > limits.MAX_EXPRESSION:
        refuse(f"an expression is longer than {limits.MAX_EXPRESSION} characters")
    formats = re.search(r"\b(?:time)?format\s*\(", text, re.IGNORECASE)
    if formats and re.search(r"""(['"])[^'"]*\d{3}[^'"]*\1""", text):
        refuse(f"expression {_show(text)}: a format of three digits in a row is not allowed")
    position, before = 0, ""
    while position < len(text.rstrip()):
        token = TOKEN.match(text, position)
        if token is None:
            refuse(f"expression {_show(text)}: {text[position:].strip()[0]!r} is not allowed")
        position, word = token.end(), token.group().strip()
        if (
            token["name"]
            and before != "."
            and word
            not in limits.FUNCTIONS
            | {
                "datum",
                "true",
                "false",
                "null",
                "PI",
                "E",
            }
        ):
            refuse(f"expression {_show(text)}: {word!r} is not allowed")
        # A slash after an operator would open a regular expression.
        if word == "/" and not re.match(r"[\w)\]'\"]", before[-1:]):
            refuse(f"expression {_show(text)}: regular expressions are not allowed")
        before = word


def _show(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."
