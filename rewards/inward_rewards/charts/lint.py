"""A specification is checked before any renderer sees it.

`lint` knows the Vega-Lite properties that load, loop, grow or run something and refuses them; the
rest is bounded in size. It is the first of three walls: the worker process has limits on CPU time
and memory and can open no file or socket, and the laid-out size is checked before pixels are made.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from . import limits
from .errors import RenderError

VIEW_KEYS = limits.names(
    "mark encoding layer hconcat vconcat concat facet spec data datasets transform title name "
    "width height background padding autosize config view columns resolve spacing align "
    "bounds center"
)
DROPPED = frozenset({"$schema", "usermeta", "description", "tooltip", "aria"})
"""Without effect on the picture; fonts are dropped as well, every chart is lettered alike."""
BANNED = limits.names(
    "url href params param selection signal signals expr labelExpr repeat projection impute "
    "locale gradient blend customFormatTypes formatType bins clamp"
)
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
TICK_INTERVALS = limits.names("day week month quarter year")
TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)
        |(?P<name>[A-Za-z_]\w*)
        |(?P<string>'[^'\\]*'|"[^"\\]*")
        |(?P<sign>===|!==|==|!=|<=|>=|&&|\|\||[-+*/%<>!?:,.()\[\]]))""",
    re.VERBOSE,
)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\uf8ff\ufffe\uffff]")


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
    clean = linter.view(spec)
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
        self.values: dict[str, set[str]] = {}
        self.spans: dict[str, tuple[float, float]] = {}

    def view(self, spec: Any) -> dict[str, Any]:
        if not isinstance(spec, dict):
            refuse(f"a view is not an object: {_show(spec)}")
        for key in spec:
            if key not in VIEW_KEYS | DROPPED:
                refuse(f"property {_show(key)} is not allowed in a view")
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
                clean[key] = _side(key, value)
            elif key == "mark":
                clean[key] = self._mark(value)
            elif key == "encoding":
                clean[key] = self._encoding(value)
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
            refuse("data 'values' must be a list of rows")
        self.rows += len(rows)
        if self.rows > limits.MAX_ROWS:
            refuse(f"more than {limits.MAX_ROWS} data rows")
        for row in rows:
            cells = row if isinstance(row, dict) else {"data": row}
            if len(cells) > limits.MAX_FIELDS:
                refuse(f"a data row has more than {limits.MAX_FIELDS} fields")
            for name, cell in cells.items():
                _text(name)
                if isinstance(cell, str):
                    _text(cell)
                elif isinstance(cell, dict | list):
                    refuse(f"field {_show(name)}: a data cell must be a number, a string or null")
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
                refuse(f"transform {_show(kind)} is not one of {names}")
            for key in transform:
                if key not in TRANSFORM_KEYS:
                    refuse(f"transform property {_show(key)} is not allowed")
            if "fold" in transform:
                self._fold(transform)
        clean: list[Any] = self.walk(transforms, "transform")
        return clean

    def _fold(self, transform: dict[str, Any]) -> None:
        names = transform["fold"]
        if not isinstance(names, list) or self.rows * len(names) > limits.MAX_FOLDED:
            refuse(f"fold makes more than {limits.MAX_FOLDED} rows")

    def walk(self, node: Any, key: str) -> Any:
        """Any other property: bounded, with the known ways to load, loop or run refused."""
        if isinstance(node, dict):
            return self._object(node, key)
        if isinstance(node, list):
            if len(node) > limits.MAX_LIST:
                refuse(f"{_show(key)} has more than {limits.MAX_LIST} entries")
            if key == "strokeDash" and (
                len(node) > limits.MAX_DASHES
                or not all(isinstance(x, int | float) and x >= limits.MIN_DASH for x in node)
            ):
                refuse(
                    f"'strokeDash' must be at most {limits.MAX_DASHES} numbers of at least "
                    f"{limits.MIN_DASH}"
                )
            return [self.walk(item, key) for item in node]
        if isinstance(node, str):
            return self._string(node, key)
        if isinstance(node, int | float) and not isinstance(node, bool):
            self._number(node, key)
        return node

    def _object(self, node: dict[str, Any], key: str) -> dict[str, Any]:
        clean = {}
        for name, value in node.items():
            _text(name)
            if name in BANNED:
                refuse(f"property {_show(name)} is not allowed")
            if (name in DROPPED and key != "config") or name == "font" or name.endswith("Font"):
                continue
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
        if not isinstance(bin_, dict) or not set(bin_) <= {"maxbins", "step", "nice", "binned"}:
            refuse("'bin' may hold 'maxbins', 'step', 'nice' and 'binned' only")
        most = bin_.get("maxbins", 10)
        if not isinstance(most, int) or not 1 <= most <= limits.MAX_BINS:
            refuse(f"'maxbins' must be a whole number from 1 to {limits.MAX_BINS}")
        if "step" in bin_:
            step, field = bin_["step"], around.get("field")
            low, high = self.spans.get(field, (0.0, 0.0)) if isinstance(field, str) else (0.0, 0.0)
            enough = isinstance(step, int | float) and step > 0
            if not enough or field not in self.spans or (high - low) / step > limits.MAX_BINS:
                refuse(
                    f"bin 'step' must be a number that makes at most {limits.MAX_BINS} bins of a "
                    "field of the data"
                )

    def _string(self, text: str, key: str) -> str:
        _text(text)
        if key in ("calculate", "filter", "test", "and", "or", "not"):
            _expression(text)
        elif NUMERIC.search(key) and text not in WORDS:
            refuse(f"{_show(key)} must be a number, not {_show(text)}")
        elif key == "field" and re.search(r"[.\[\]\\'\"]", text):
            refuse(f"field {_show(text)}: a field name may not hold . [ ] \\ or quotes")
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
        elif key.lower().endswith("fontsize"):
            most = limits.MAX_FONT_SIZE
        if abs(number) > most:
            refuse(f"{_show(key)}: {_show(number)} is more than {most:g}")


def _side(key: str, value: Any) -> Any:
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
        refuse(f"a string is longer than {limits.MAX_STRING} characters: {_show(text)}")
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
