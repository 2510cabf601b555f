"""Two specifications that draw the same picture have the same table, however they are written."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from inward_charts import generate
from inward_rewards.charts.reading.names import meaning
from inward_rewards.charts.reading.scene import Rendered, Scene
from inward_rewards.charts.renderer import Renderer
from inward_rewards.charts.score import Score

Spec = dict[str, Any]
PAIRS = Path(__file__).parents[4] / "shared/cases/chart_style_pairs.jsonl"
SAME = 0.99
"""The similarity and the table F1 from which pictures and tables are the same."""

NAMES = ("Rent", "Food", "Fun", "Other")
VALUES = (45, 25, 20, 10)
GROUPS = [("A", "u", 0, 3), ("A", "w", 3, 5), ("B", "u", 0, 5), ("B", "w", 5, 9)]
MONTHS = "Jan Feb Mar Apr May Jun".split()


def view(mark: Any, rows: list[Spec], **encoding: Any) -> Spec:
    plain = {"type": mark} if isinstance(mark, str) else mark
    return {"data": {"values": rows}, "mark": plain, "encoding": encoding, "width": 300}


def named(field: str, **more: Any) -> Spec:
    return {"field": field, "type": "nominal", "sort": None, "title": "n", **more}


def amount(field: str, **more: Any) -> Spec:
    return {"field": field, "type": "quantitative", "title": "v", **more}


def bars(names: tuple[str, ...] = NAMES, **more: Any) -> Spec:
    rows = [{"n": name, "v": value} for name, value in zip(names, VALUES, strict=True)]
    return view("bar", rows, x=named("n"), y=amount("v")) | more


def pie(factor: float, **text: Any) -> Spec:
    rows = [{"n": name, "v": v * factor} for name, v in zip(NAMES, VALUES, strict=True)]
    return view("arc", rows, theta=amount("v"), color=named("n"))


def stacked(mark: str, x: Spec, *, by_hand: bool, turned: bool = False) -> Spec:
    rows = [{"c": c, "s": s, "v": b - a, "a": a, "b": b} for c, s, a, b in GROUPS]
    if mark == "area":
        rows = [row | {"c": {"A": 1, "B": 2}[row["c"]]} for row in rows]
    scale = {"scale": {"domain": [0, 10]}}
    if by_hand:
        ends = ("a", "b") if turned else ("b", "a")
        y = {"y": amount(ends[0], **scale), "y2": {"field": ends[1]}}
    else:
        y = {"y": amount("v", **scale)}
    order = {"order": {"field": "a"}} if not by_hand else {}
    return view(mark, rows, x=x, **y, **order, color=named("s"))


def behind() -> Spec:
    """The stack as long bars behind shorter ones."""
    rows = [{"c": c, "s": s, "b": b} for c, s, _, b in GROUPS]
    color = named("s", scale={"domain": ["u", "w"]})
    y = amount("b", stack=None, scale={"domain": [0, 10]})
    layers = [
        view("bar", [row for row in rows if row["s"] == s], x=named("c"), y=y, color=color)
        for s in ("w", "u")
    ]
    return {"width": 300, "layer": [{k: v for k, v in lay.items() if k != "width"}
                                    for lay in layers]}  # fmt: skip


def transformed() -> Spec:
    """The stack by a transform, with its ends the other way round."""
    rows = [{"c": c, "s": s, "v": b - a} for c, s, a, b in GROUPS]
    y = {"y": amount("y0", scale={"domain": [0, 10]}), "y2": {"field": "y1"}}
    stack = {"stack": "v", "groupby": ["c"], "as": ["y0", "y1"], "sort": [{"field": "s"}]}
    return view("bar", rows, x=named("c"), **y, color=named("s")) | {"transform": [stack]}


WHOLE = amount("v", scale={"domain": [0, 50]})
"""Four pixels a unit at a height of 200: no seam is blurred."""


def slices() -> Spec:
    rows = [
        {"n": name, "v": value / 5, "k": k}
        for name, value in zip(NAMES, VALUES, strict=True)
        for k in range(5)
    ]
    detail = {"field": "k", "type": "nominal"}
    return view("bar", rows, x=named("n"), y=WHOLE, detail=detail) | {"height": 200}


def months(*, unit: bool) -> Spec:
    rows = [{"n": m, "d": f"2023-{i:02}-15", "v": i * i} for i, m in enumerate(MONTHS, 1)]
    x = (
        {"field": "d", "type": "ordinal", "timeUnit": "month", "title": "n",
         "axis": {"format": "%b", "labelAngle": -90}}
        if unit
        else named("n")
    )  # fmt: skip
    return view("bar", rows, x=x, y=amount("v"))


def weekdays(*, unit: bool) -> Spec:
    days = [date(2023, 1, 1) + timedelta(day) for day in range(7)]
    rows = [{"n": f"{d:%a}", "d": d.isoformat(), "v": 1 + d.day**2} for d in days]
    x = (
        {"field": "d", "type": "ordinal", "timeUnit": "day", "title": "n",
         "axis": {"format": "%a", "labelAngle": -90}}
        if unit
        else named("n")
    )  # fmt: skip
    return view("bar", rows, x=x, y=amount("v"))


def steps(*, by_hand: bool) -> Spec:
    points = [(0, 3.0), (2, 7.0), (5, 4.0), (8, 6.0)]
    mark: Spec = {"type": "line"}
    if by_hand:
        before = [(x, y) for (x, _), (_, y) in zip(points[1:], points, strict=False)]
        points = [point for pair in zip(points, [*before, points[-1]], strict=True)
                  for point in pair][:-1]  # fmt: skip
    else:
        mark["interpolate"] = "step-after"
    rows = [{"x": x, "y": y, "i": i} for i, (x, y) in enumerate(points)]
    return view(mark, rows, x=amount("x"), y=amount("y"), order={"field": "i"})


def with_line(y: Spec) -> Spec:
    rule = {"data": {"values": [{"t": 20}]}, "mark": "rule", "encoding": {"y": y}}
    plain = {k: v for k, v in bars().items() if k not in ("width", "height")}
    plain["encoding"]["y"]["scale"] = {"domain": [0, 50]}
    return {"width": 300, "height": 200, "layer": [plain, rule]}


def dated(times: list[str], form: str, unit: str) -> tuple[Spec, Spec]:
    """Bars by names, and by a time unit whose labels say the same."""
    rows = [{"n": f"{datetime.fromisoformat(t):{form}}", "t": t, "v": v}
            for t, v in zip(times, VALUES, strict=True)]  # fmt: skip
    time = {"field": "t", "type": "ordinal", "timeUnit": unit, "title": "n",
            "axis": {"format": form, "labelAngle": -90}}  # fmt: skip
    return view("bar", rows, x=named("n"), y=amount("v")), view("bar", rows, x=time, y=amount("v"))


def in_units(factor: float, labels: Spec, others: Spec, mark: str = "bar") -> tuple[Spec, Spec]:
    """The same numbers in two units, with labels that print the same."""
    rows = [{"n": name, "v": v, "w": v * factor} for name, v in zip(NAMES, VALUES, strict=True)]
    return (
        view(mark, rows, x=named("n"), y=amount("v", axis=labels)),
        view(mark, rows, x=named("n"), y=amount("w", axis=others)),
    )


def nested(outer: str, inner: str) -> Spec:
    panels = [bars(title=name) for name in ("East", "West")]
    return {outer: [{inner: [panel]} for panel in panels]}


DAYS = [f"2023-03-0{day}" for day in (2, 3, 4, 5)]
QUARTERS = [f"2021-{month:02}-01" for month in (1, 4, 7, 10)]
YEARS = [f"{year}-01-01" for year in (2020, 2021, 2022, 2023)]
HOURS = [f"2023-03-02T{hour:02}:30:00" for hour in (6, 9, 12, 15)]
LONG = "datum.value == 'a' ? 'Rent' : datum.value == 'b' ? 'Food' : datum.value == 'c' ? 'Fun' : "
SPELT = {"labelExpr": f"{LONG}'Other'"}
WRITTEN: dict[str, tuple[Spec, Spec]] = {
    "names with letters that have no shape": (
        bars(), bars(("Rent\u200b", "Fo\u00adod", "Fun\u2060", "\ufeffOther"))
    ),
    "names that an expression prints": (
        bars(),
        view("bar", [{"n": n, "v": v} for n, v in zip("abcd", VALUES, strict=True)],
             x=named("n", axis=SPELT), y=amount("v")),
    ),
    "a name of nothing": (
        bars(("null", *NAMES[1:])),
        view("bar", [{"n": None if v == 45 else n, "v": v}
                     for n, v in zip(NAMES, VALUES, strict=True)], x=named("n"), y=amount("v")),
    ),
    "days and months with a slash": dated(DAYS, "%d/%m", "yearmonthdate"),
    "days with a point": dated(DAYS, "%d.%m.", "yearmonthdate"),
    "weekdays with a date": dated(DAYS, "%a, %b %d", "yearmonthdate"),
    "months of short years": dated(QUARTERS, "%m/%y", "yearmonth"),
    "months with an apostrophe": dated(QUARTERS, "%b'%y", "yearmonth"),
    "short years": dated(YEARS, "FY%y", "year"),
    "hours with minutes and seconds": dated(HOURS, "%H:%M:%S", "yearmonthdatehoursminutesseconds"),
    "hours of a date": dated(HOURS, "%b %d %H:%M", "yearmonthdatehoursminutes"),
    "shares as per cents": in_units(
        0.01, {"labelExpr": "datum.value + '%'"}, {"format": "%"}
    ),
    "millions as their number": in_units(
        1e6, {"labelExpr": "'$' + datum.value + 'M'"},
        {"labelExpr": "'$' + datum.value / 1000000 + 'M'"}, "line",
    ),
    "a colour that nothing names": (
        bars(),
        view({"type": "bar"}, [{"n": n, "v": v, "k": k}
              for k, (n, v) in enumerate(zip(NAMES, VALUES, strict=True))], x=named("n"),
             y=amount("v"), color={"field": "k", "type": "nominal", "legend": None,
                                   "scale": {"range": ["#4c78a8"]}}),
    ),
    "panels in panels": (
        nested("vconcat", "hconcat"), nested("concat", "vconcat") | {"columns": 1}
    ),
    "panels in a column": (
        {"vconcat": [bars(title="East"), bars(title="West")]}, nested("vconcat", "hconcat")
    ),
    "names with spaces at the end": (bars(), bars(("Rent ", " Food", "Fun\u00a0", "Other  "))),
    "names with two spaces": (
        bars(("Rent of flat", "Food", "Fun", "Other")),
        bars(("Rent  of flat", "Food", "Fun", "Other")),
    ),
    "a pie of shares": (pie(1), pie(0.01)),
    "a pie of counts": (pie(1), pie(10)),
    "a stack by hand": (
        stacked("bar", named("c"), by_hand=False),
        stacked("bar", named("c"), by_hand=True),
    ),
    "a stack by hand, ends turned": (
        stacked("bar", named("c"), by_hand=False),
        stacked("bar", named("c"), by_hand=True, turned=True),
    ),
    "areas stacked by hand": (
        stacked("area", amount("c"), by_hand=False),
        stacked("area", amount("c"), by_hand=True),
    ),
    "areas stacked by hand, ends turned": (
        stacked("area", amount("c"), by_hand=False),
        stacked("area", amount("c"), by_hand=True, turned=True),
    ),
    "a stack by a transform": (stacked("bar", named("c"), by_hand=True), transformed()),
    "a stack as bars behind bars": (stacked("bar", named("c"), by_hand=True), behind()),
    "a bar of slices": (
        bars() | {"height": 200, "encoding": {"x": named("n"), "y": WHOLE}}, slices()
    ),
    "months by a time unit": (months(unit=False), months(unit=True)),
    "weekdays by a time unit": (weekdays(unit=False), weekdays(unit=True)),
    "steps by hand": (steps(by_hand=False), steps(by_hand=True)),
    "a line at a pixel": (
        with_line({"field": "t", "type": "quantitative"}), with_line({"value": 120})
    ),
}  # fmt: skip


def compared(renderer: Renderer, one: Spec, other: Spec) -> tuple[Rendered, Rendered, Score]:
    first, second = renderer.render_sync(one), renderer.render_sync(other)
    blobs = (first.png, first.scene.packed)
    score = renderer._submit(other, *blobs).result()[1]
    assert score is not None
    return first, second, score


def same_picture(first: Rendered, second: Rendered, score: Score) -> bool:
    texts = sorted(first.scene.texts) == sorted(second.scene.texts)
    return score.similarity >= SAME and texts


@pytest.mark.parametrize("name", WRITTEN)
def test_the_same_picture_has_the_same_table(renderer: Renderer, name: str) -> None:
    one, other = WRITTEN[name]
    first, second, score = compared(renderer, one, other)
    assert same_picture(first, second, score), (score, first.scene.texts, second.scene.texts)
    assert score.table is not None
    assert score.table >= SAME, (first.scene.rows, second.scene.rows)
    assert first.scene.rows
    # Another number in place of a true one is not the same.
    values = {"45": 30, "5": 40}
    wrong = json.loads(json.dumps(one), parse_int=lambda text: values.get(text, int(text)))
    if wrong != one:
        table = compared(renderer, other, wrong)[2].table
        assert table is not None
        assert table < SAME


@pytest.mark.skipif(not PAIRS.exists(), reason=f"no {PAIRS.name}: ../shared/cases is not here")
def test_style_pairs(renderer: Renderer) -> None:
    pairs = [json.loads(line) for line in PAIRS.read_text().splitlines()]
    wrong, same = [], 0
    for pair in pairs:
        first, second, score = compared(renderer, pair["reference"], pair["candidate"])
        if same_picture(first, second, score):
            same += 1
            if score.table is None or score.table < SAME:
                wrong.append((pair["name"], score.table))
    assert same > 20
    assert not wrong


def test_a_line_along_a_stack_is_no_second_number(renderer: Renderer) -> None:
    spec = stacked("area", amount("c"), by_hand=False)
    lined = spec | {"mark": {"type": "area", "line": True, "point": True}}
    _, _, score = compared(renderer, spec, lined)
    assert score.table == pytest.approx(1)


def test_panels_side_by_side_are_facets(renderer: Renderer) -> None:
    rows = [{"c": c, "s": s, "v": b - a} for c, s, a, b in GROUPS]
    facets = view("bar", rows, x=named("c"), y=amount("v"), column=named("s"))
    panels = [
        view("bar", [row for row in rows if row["s"] == s], x=named("c"), y=amount("v"))
        | {"title": s}
        for s in ("u", "w")
    ]
    _, _, score = compared(renderer, facets, {"hconcat": panels})
    assert score.table == pytest.approx(1)
    _, _, score = compared(renderer, facets, {"vconcat": panels})
    assert score.table == pytest.approx(1)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        *[("01/2023", "2023-01-01"), ("2023/01/01", "2023-01-01"), ("2021 Q1", "2021-01-01")],
        *[("Q3 2021", "2021-07-01"), ("Jan '23", "2023-01-01"), ("Jan-23", "2023-01-01")],
        *[("01/02/2023", "2023-01-02"), ("31/01/2023", "2023-01-31"), ("2023.04", "2023-04-01")],
        *[("2023-01-01T00:00:00", "2023-01-01"), ("Jan 1, 2023", "2023-01-01")],
        *[("08:00", "08:00"), ("8:00", "08:00"), ("8 AM", "08:00"), ("12:30 p.m.", "12:30")],
        *[("Jan 05", "Jan 5"), ("5 January", "Jan 5"), ("Jan. 5", "Jan 5")],
        *[("January", "Jan"), ("JAN", "Jan"), ("Sunday", "Sun"), ("Sun.", "Sun")],
        *[("20-30", 25.0), ("20 \u2013 30", 25.0), ("[0, 10)", 5.0), ("1,000 to 2,000", 1500.0)],
        *[("30-20", "30-20"), ("Group 1", "Group 1"), ("2021", "2021"), ("13/2023", "13/2023")],
        *[(" two  words\u00a0", "two words"), ("25:00", "25:00"), ("2023/13/01", "2023/13/01")],
    ],
)
def test_what_a_name_says(name: str, said: str | float) -> None:
    assert meaning(name) == said


@pytest.mark.parametrize(
    ("times", "form"),
    [
        ([datetime(2023, 3, 5, hour) for hour in range(0, 24, 4)], "%H:%M"),
        ([datetime(2023, month, 1) for month in range(2, 8)], "%b"),
        ([datetime(2023, 3, day) for day in range(6, 13)], "%a"),
        ([datetime(2023, 3, day) for day in range(2, 9)], "%b %d"),
    ],
)
def test_times_without_a_year_are_what_is_left(
    renderer: Renderer, times: list[datetime], form: str
) -> None:
    rows = [{"n": f"{t:{form}}", "d": t.isoformat(), "v": i * i + 3} for i, t in enumerate(times)]
    x = {"field": "d", "type": "temporal", "title": "n", "axis": {"format": form}}
    x["axis"]["values"] = [1000 * t.replace(tzinfo=UTC).timestamp() for t in times]
    dated = view("line", rows, x=x, y=amount("v"))
    names = view("line", rows, x=named("n"), y=amount("v"))
    _, _, score = compared(renderer, dated, names)
    assert score.table == pytest.approx(1)


DATES = [{"n": n, "a": f"2024-01-{a:02}", "b": f"2024-02-{b:02}"} for n, a, b in
         (("Plan", 1, 10), ("Build", 12, 20), ("Ship", 25, 28))]  # fmt: skip
LOG: Spec = {"scale": {"type": "log", "domain": [1, 100]}}
TIME: Spec = {"type": "temporal", "title": "d"}
READ: dict[str, tuple[Spec, int]] = {
    "a Gantt chart": (
        view("bar", DATES, y=named("n"), x={"field": "a", **TIME}, x2={"field": "b"}), 6
    ),
    "dates as values": (view("point", DATES, y=named("n"), x={"field": "a", **TIME}), 3),
    "bars on a logarithm": (bars() | {"encoding": {"x": named("n"), "y": amount("v", **LOG)}}, 4),
    "bars on a logarithm from a baseline": (
        bars() | {"encoding": {"x": named("n"), "y": amount("v", **LOG), "y2": {"datum": 1}}}, 4
    ),
    "the field of a row that an aggregate picks": (
        view("bar", [{"n": n, "v": v} for n, v in zip(NAMES, VALUES, strict=True)], x=named("n"),
             y={"aggregate": {"argmax": "v"}, "field": "v", "type": "quantitative"}), 4
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_what_can_be_read_is_read(renderer: Renderer, name: str) -> None:
    spec, count = READ[name]
    first, _, score = compared(renderer, spec, spec)
    assert len(first.scene.rows) == count
    assert score.table == pytest.approx(1)


WORDS = ("samples (thousands)", "now (EUR)", "random (n=5)", "sampleNormal (x)")


@pytest.mark.parametrize("word", WORDS)
def test_honest_words_refuse_no_chart(renderer: Renderer, word: str) -> None:
    rows = [{word: n, "v": v, "test": word, "init": f"{word})", "update": word}
            for n, v in zip((*NAMES[:3], word), VALUES, strict=True)]  # fmt: skip
    spec = view(
        "bar",
        rows,
        x={"field": word, "type": "nominal", "title": f"Number of {word}", "sort": [word, "Rent"]},
        y={"field": "v", "type": "quantitative", "title": f"{word} 'of' it"},
        color={"field": word, "type": "nominal", "legend": {"title": word},
               "scale": {"domain": [word, *NAMES[:3]]}},
    )  # fmt: skip
    kept = {"filter": {"field": word, "oneOf": [word, *NAMES]}}
    scene = renderer.render_sync(spec | {"title": word, "transform": [kept]}).scene
    assert len(scene.rows) == 4


def test_both_sides_of_a_pyramid_are_as_long_as_they_are_printed(renderer: Renderer) -> None:
    rows = [{"n": n, "v": sign * v, "s": s} for n, v in zip(NAMES, VALUES, strict=True)
            for s, sign in (("F", -1), ("M", 1))]  # fmt: skip
    sizes = amount("v", axis={"labelExpr": "'' + abs(datum.value)"})
    scene = renderer.render_sync(view("bar", rows, x=sizes, y=named("n"), color=named("s"))).scene
    assert {row.value for row in scene.rows} == set(VALUES)
    assert len(scene.rows) == 8


async def test_a_reference_without_numbers_is_named_before_a_worker_is_asked(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = Scene((), ("Only a title",), ("bar",), ())
    monkeypatch.setattr(renderer, "_submit", None)
    with pytest.raises(ValueError, match="the reference chart with the texts 'Only a title'"):
        await renderer.score({"mark": "bar"}, b"no picture", empty)


def test_a_large_chart_is_like_itself(renderer: Renderer) -> None:
    spec = bars() | {"width": 1150, "height": 700, "mark": {"type": "line"}}
    _, _, score = compared(renderer, spec, spec)
    assert score.similarity > 0.999


def by_hand(spec: Spec) -> Spec:
    """A generated stack with its ends added up beforehand, in the order in which Vega-Lite does."""
    encoding = copy.deepcopy(spec["encoding"])
    along = next(name for name in "xy" if encoding[name].get("stack") == "zero")
    across = "x" if along == "y" else "y"
    x, y, series = (encoding[name]["field"] for name in (across, along, "color"))
    rows = sorted(spec["data"]["values"], key=lambda row: str(row[series]), reverse=True)
    sums: dict[Any, float] = {}
    ended = []
    for row in rows:
        start = sums.get(row[x], 0.0)
        sums[row[x]] = start + (row[y] or 0.0)
        ended.append(row | {"start": start, "end": sums[row[x]]})
    encoding[along] |= {"field": "end", "stack": None}
    encoding[f"{along}2"] = {"field": "start"}
    return spec | {"data": {"values": ended}, "encoding": encoding}


def in_hundreds(spec: Spec) -> Spec:
    field = spec["encoding"]["theta"]["field"]
    rows = [row | {field: row[field] * 100} for row in spec["data"]["values"]]
    return spec | {"data": {"values": rows}}


def spaced(spec: Spec) -> Spec:
    """Every name with a space behind it, in the data and wherever else it stands."""
    channel = spec["encoding"]["x"]
    rows = [row | {channel["field"]: f"{row[channel['field']]} "}
            for row in spec["data"]["values"]]  # fmt: skip
    x = channel | {"sort": [f"{name} " for name in channel["sort"]]}
    return spec | {"data": {"values": rows}, "encoding": spec["encoding"] | {"x": x}}


@pytest.mark.parametrize(
    ("kind", "rewritten"),
    [
        ("bar_stacked", by_hand),
        ("bar_share", by_hand),
        ("area_stacked", by_hand),
        ("arc", in_hundreds),
        ("bar", spaced),
        ("bar_grouped", spaced),
    ],
)
def test_generated_charts_written_otherwise(
    renderer: Renderer, kind: str, rewritten: Callable[[Spec], Spec]
) -> None:
    found = (generate(index, 41, kinds=[kind], levels=[1, 2]).spec for index in range(12))
    plain = [spec for spec in found if "layer" not in spec and "x2" not in spec["encoding"]]
    same = 0
    for spec in plain[:3]:
        first, second, score = compared(renderer, spec, rewritten(spec))
        if same_picture(first, second, score):
            same += 1
            assert score.table is not None
            assert score.table >= SAME, (kind, first.scene.rows, second.scene.rows)
    assert same > 0
