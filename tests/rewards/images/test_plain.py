"""The reader of plain English, on descriptions in ten styles and on what a policy might try."""

from __future__ import annotations

import asyncio
import itertools
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from inward_rewards.charts import Row, meaning, shared_renderer, table_f1
from inward_rewards.images import PlainRedraw, read, specification, without_code
from inward_rewards.images.plain.numbers import color, iso_date, number
from inward_rewards.images.plain_redraw import BREACHES

FOLDER = Path(__file__).parent / "descriptions"
UNDERSTOOD = 0.95


def descriptions(name: str) -> list[tuple[str, dict[str, Any]]]:
    styles = tomllib.loads((FOLDER / f"{name}.toml").read_text())
    return [(f"{style}{i}", c) for style, cases in styles.items() for i, c in enumerate(cases)]


async def drawn_as_told(case: dict[str, Any]) -> bool:
    """Whether the drawing shows the table, the mark and the title that a person reads."""
    rendered = await shared_renderer().render(specification(read(case["words"])))
    told = [
        Row(tuple(meaning(k) if isinstance(k, str) else float(k) for k in keys), float(value))
        for *keys, value in case["rows"]
    ]
    scene = rendered.scene
    return (
        table_f1(told, scene.rows).f1 >= UNDERSTOOD
        and case["mark"] in scene.marks
        and case["title"] in scene.texts
    )


@pytest.mark.parametrize(
    ("part", "count"),
    [("first", 50), ("second", 50), ("third", 20), ("fourth", 20), ("fifth", 20), ("sixth", 20),
     ("seventh", 20), ("eighth", 20),
     ("ninth", 10), ("tenth", 20), ("eleventh", 20), ("twelfth", 20)],
)  # fmt: skip
async def test_descriptions_are_understood(part: str, count: int) -> None:
    cases = descriptions(part)
    assert len(cases) == count
    missed = [name for name, case in cases if not await drawn_as_told(case)]
    # What the issue asks for is nine in ten; all but these are read today.
    assert missed == [name for name, case in cases if case.get("missed")]


def test_a_chart_in_parts() -> None:
    chart = read(
        'This is a grouped bar chart with dots titled "Wages". The subtitle is "2020".\n'
        "The plot is 300 by 200 pixels. The background is #fff1e5, the text is #333333.\n"
        'The x-axis is titled "Town" and lists "Oslo", "Rome".\n'
        'The y-axis is titled "EUR" on a log scale and runs from 1 to 100, '
        "with ticks at 1, 10, 100.\n"
        'The legend is at the bottom and is titled "Sex". "Women" is #112233, "Men" is red.\n'
        'Values for "Women": "Oslo": 12, "Rome": 40.\nValues for "Men": "Oslo": 13, "Rome": 41.'
    )
    assert (chart.kind, chart.stack, chart.title, chart.subtitle) == (
        *("bar", "group", "Wages", "2020"),
    )
    assert (chart.width, chart.height) == (300, 200)
    assert (chart.looks.background, chart.looks.ink) == ("#fff1e5", "#333333")
    assert (chart.x.title, chart.x.members) == ("Town", ["Oslo", "Rome"])
    assert (chart.y.title, chart.y.low, chart.y.high, chart.y.log) == ("EUR", 1, 100, True)
    assert [tick.value for tick in chart.y.ticks] == [1, 10, 100]
    assert (chart.looks.legend, chart.legend_title) == ("bottom", "Sex")
    assert chart.colors == {"women": "#112233", "men": "#e45756"}
    assert [(s.name, [(o.x, o.y) for o in s.observations]) for s in chart.series] == [
        ("Women", [("Oslo", 12), ("Rome", 40)]),
        ("Men", [("Oslo", 13), ("Rome", 41)]),
    ]
    assert chart.ignored == 0


def test_a_figure_of_different_plots() -> None:
    told = (
        'This figure titled "Runs" has 2 panels side by side. The background is #fff1e5.\n'
        'Panel "(a) Loss" is a line chart. The x-axis is titled "Step". "A": 0: 3, 10: 1.\n'
        'Panel "(b)" is a horizontal strip plot. Values at "V1": 3, 4, 4. Values at "V2": 1.'
    )
    chart = read(told)
    assert (chart.title, chart.columns, chart.ignored) == ("Runs", 2, 0)
    loss, strip = chart.panels
    assert (loss.kind, loss.title, loss.x.title) == ("line", "(a) Loss", "Step")
    assert (strip.kind, strip.strip, strip.horizontal) == ("point", True, True)
    assert [(o.x, o.y) for o in strip.series[0].observations] == [
        *(("V1", 3), ("V1", 4), ("V1", 4), ("V2", 1)),
    ]
    assert {panel.looks.background for panel in chart.panels} == {"#fff1e5"}
    drawn = specification(chart)
    assert [view["title"] for view in drawn["concat"]] == ["(a) Loss", "(b)"]
    # The same in one paragraph; and small multiples of one kind are no such figure.
    panels = read(
        "Two panels. The left panel is a bar chart: A 3, B 4. The right panel is a pie chart: "
        "C 60 %, D 40 %."
    ).panels
    assert [panel.kind for panel in panels] == ["bar", "arc"]
    assert [panel.observed for panel in panels] == [2, 2]
    assert not read('Bar charts. Panel "North": "Jan": 3. Panel "South": "Jan": 4.').panels


@pytest.mark.parametrize(
    ("words", "sort", "place"),
    [
        ('A horizontal dashed line at 0.5 is labelled "chance".', "level", 0.5),
        ('A reference line stands at 0.5 and is marked "chance".', "level", 0.5),
        ('A dotted vertical line at epoch 30 is labelled "chance".', "moment", 30),
        ('The region between 2 and 4 is highlighted (labelled "chance").', "span", 2),
        ('The text "chance" is written at (3, 0.2).', "words", 3),
        ('An arrow labelled "chance" points to x = 3, y = 0.2.', "words", 3),
    ],
)
def test_remarks_on_a_plot(words: str, sort: str, place: float) -> None:
    chart = read(f'Line chart. "A": 0: 1, 10: 2. {words}')
    [note] = chart.notes
    assert (note.sort, note.text) == (sort, "chance")
    assert (note.y if sort == "level" else note.x) == place
    assert chart.observed == 2


def test_a_dashed_line_with_values_is_a_series() -> None:
    chart = read("Line chart. Model B (dashed line) starts at 52 in 2010 and reaches 65 in 2020.")
    assert not chart.notes
    assert chart.observed == 2


def test_what_is_not_understood_is_counted() -> None:
    chart = read("A bar chart. It makes me think of home. Oslo: 3, Rome: 4. Such is life.")
    assert (chart.observed, chart.statements, chart.ignored) == (2, 4, 2)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,200", 1200), ("-3.5", -3.5), ("−2", -2), ("$1.2k", 1200), ("40 %", 40), ("1e6", 1e6),
        ("ResNet-50", None), ("18-29", None), ("2018/19", None), ("50+", None), ("1.2.3", None),
        ("", None), ("9" * 60, None), ("nan", None), ("inf", None),
    ],
)  # fmt: skip
def test_numbers(text: str, value: float | None) -> None:
    found = number(text)
    assert (None if found is None else found.value) == value


def test_dates_and_colors() -> None:
    assert iso_date("March 2024") == iso_date("Mar 2024") == iso_date("2024-03") == "2024-03-01"
    assert iso_date("2024-13-01") is None
    assert color("a #AbCdEf line") == "#abcdef"
    assert color("no shade") is None


def test_of_two_statements_the_last_counts() -> None:
    chart = read("Bar chart. Oslo: 3. Rome: 4. Oslo: 5.")
    assert [(o.x, o.y) for s in chart.series for o in s.observations] == [("Rome", 4), ("Oslo", 5)]


def test_every_number_of_an_axis_in_per_cent_is_a_part_of_one() -> None:
    chart = read(
        "Line chart. The y-axis runs from 50% to 70%, with ticks at 50%, 60%, 70%.\n"
        'The line named "A": 1: 52%, 2: 60%.\nA dashed line stands at 56%, named "Limit".'
    )
    assert [o.y for s in chart.series for o in s.observations] == [0.52, 0.6, 0.56]


def test_code_is_not_read() -> None:
    spec = json.dumps({"mark": "bar", "data": {"values": [{"x": "a", "y": 3}]}})
    for text in (spec, f"```json\n{spec}\n```", f"Here: {spec}", f"```\n{spec}"):
        assert read(text).empty
        assert without_code(text)[1] > len(spec) - 2


HOSTILE = {
    "digits": "1" * 20_000,
    "numbers": "1, " * 6000,
    "pairs": "a: 1, " * 3000,
    "tuples": "Points: " + "(1, 2), " * 2500,
    "quotes": '"a" ' * 5000,
    "open quotes": '"' * 20_000,
    "braces": "{" * 20_000,
    "brackets": "(" * 20_000,
    "spaces": "Bar chart " + " " * 19_000,
    "dashes": "-" * 20_000,
    "pipes": "|" * 9000 + "\n" + "|---" * 2500,
    "words": "value of the " * 1500,
    "axes": "x-axis " * 2800,
    "legend": "legend is " * 2000,
    "colors": "blue is red, " * 1500,
    "lines": "\n" * 20_000,
    "bullets": "- a:\n" * 4000,
    "private": "".join(chr(0xE100 + i % 6000) for i in range(20_000)),
    "and": "a and " * 3300,
    "one sentence": "the bar for a is 3 and " * 800,
    "letters": "x" * 20_000,
    "title": "titled " * 2800,
    "range": "from 1 to " * 2000,
    "between": "5 between 1 and " * 1200,
    "inner spaces": "A bar chart. Values 1 (" + " " * 19_000 + "x",
    "of": "A bar chart. " + "of " * 6000 + "1",
    "of the": "A bar chart. " + "of the " * 2700 + "1",
    "columns": 'A bar chart titled "T". The panels are titled "A" and stand in '
    + "9" * 5000
    + " columns.",
    "runs": "Line chart. " + "5 in 2010, " * 1800,
    "runs without places": "Line chart. " + "from 3 to 9 " * 1600,
    "values at": "Line chart. " + "5 at " * 3900,
    "subjects": "Line chart. " + "while the a line is " * 900 + "5 in 2010",
    "members": "Line chart. The x-axis lists " + "ab, " * 2400 + "cd. " + "ab 5, " * 1500,
    "counted": "Bar chart. " + "5 dogs, " * 2400,
    "zipped": "Bar chart. The values for " + "a, " * 3000 + "b are " + "1, " * 3000 + "2",
    "boxes": "Box plot. " + "Q1 3, median " * 1500,
    "box parts": "Box plot.\n- a\n" + "  - median: 3\n" * 1400,
    "slashes": "Scatter plot. " + "1/2, " * 3900,
    "cells": "Heat map. " + "a-b 1, " * 2800,
    "columns of cells": "Heat map, cols " + "a " * 9000,
    "wide table": "Bar chart.\n" + "|a" * 2500 + "|\n" + "|---" * 2500 + "|\n" + "|1" * 2500 + "|",
    "long table": "Bar chart.\n|a|b|\n|---|---|\n" + "|x|1|\n" * 3000,
    "bars of degrees": "Scatter plot. " + "(title) bars 5° " * 1200,
    "emphasis": "titled *" * 2400,
    "headings": "# a\n- b\n" * 2500,
    "no such day": "Line chart. 2023-02-29: 4, 2023-03-31: 5. 2020-13-45: 6. 0000-01-01: 7.",
    "commas of an axis": "Bar chart. x-axis " + ", " * 9700,
    "numbers of an axis": "Line chart. x-axis (" + "1," * 9700,
    "dots of a scale": "Heat map. color scale " + "." * 19_500 + "pixels ",
    "aside of lines": "Histogram. lines " + "(a)" * 6500 + "->",
    "both axes": "Bar chart. x " + "a, y " * 3900,
    "compared": "Bar chart. " + "5 times " * 2400,
    "risen": "Bar chart. " + "rises a b by " * 1500,
    "noted": "Bar chart. Oslo: " + "12 (a " * 3200,
    "powers": "Bar chart. " + "5 × 10^" * 2700,
    "vertical lines": "Line chart. " + "a vertical dashed line at x = 5 near " * 500,
    "regions": "Line chart. The region is shaded " + "from 1 to 2 " * 1500,
    "panels": "(a) Line chart. " * 1200,
    "panels of panels": "Panel A is a bar chart. a: 1. " * 600,
    "dashes of series": 'Line chart. "a" is dashed. ' + '"a" is dashed and ' * 900,
    "shaded bands": "Line chart. The intervals " + "errors and " * 1700 + "bands",
    "ends of lines": "Line chart. " + "labels at the " * 1300 + "ends of lines",
    "symmetric": "Line chart. The y-axis is " + "sym log scale, linear " * 800,
    "powers of ten": "Line chart. " + "10^-3 " * 3200,
    "samples": 'Strip plot. "a": ' + "1, " * 6000,
    "largest": "Bar chart. " + "the largest one is " * 1000 + "a, 5",
    "placed": "Bar chart. " + "next to it is " * 1400,
    "made": "Bar chart. " + "Make the a bar " * 1300 + "5 tall",
    "counts in bins": "Histogram. " + "5 for 1 to 2, " * 1300,
    "questions": "Bar chart. " + "What is the title? " * 1000,
    "groups in order": "Grouped bar chart. " + "a 1 in b and 2 in c; " * 900,
    "hours": "Line chart. " + "08:00 " * 3200,
    "five by five": "Box plot. " + "a: 1/2/3/4/5 " * 1500,
    "sorts of marks": "bars for a and a line for b " * 700,
    "years": "Bar chart of " + "2010, " * 3000 + "and 2011",
    "lower case sentences": "Line chart. " + "words end. " * 1800,
    "said first": "Bar chart. " + "it can be seen that " * 900 + "a 5",
    "ranked": "Bar chart. a" + ", the shortest one" * 1100 + ", at 5",
    "fractions": "Pie chart. " + "a little less than half, " * 700 + "46 percent, is A",
    "labelled": "Bar chart. " + "a 5, labelled A B C D, " * 800,
    "in words": "Bar chart. " + "twenty-five dogs and " * 900,
    "following years": "Line chart. In 2010 it was 5, " + "the following year 6, " * 800,
    "behind": "Bar chart. " + "5 in a b c d e, " * 1200,
    "in brackets": "Bar chart. " + "5 (a b c), " * 1800,
    "counts by group": "Grouped bar chart. " + "A won 5 gold and 6 silver medals, " * 550,
    "boxes in a sentence": "Box plot. " + "A's is 5 (box 3 to 6, whiskers 1 to 9), and " * 420,
    "lists in lists": "Scatter plot. [" + "[1, 2], " * 2400 + "]",
    "thousands": "Bar chart. a 1" + ",111" * 4900 + "x",
    "respectively": "Bar chart. " + "a and b are 5 and 6 respectively, whereas " * 450,
    "commas of a list": "Pie chart. " + "a, 5 %; " * 2400,
    "rows of a list": "Heat map. " + "a: 1, 2; " * 2100,
    "has a list": "Heat map. " + "Ab has 1, 2 and 3. " * 1000,
    "title and kind": "A" + " b" * 9000 + " (line chart)",
    "years go on": "Line chart. Jan 2010: 4, " + "Feb: 5, Jan: 6, " * 1200,
    "columns are": "Heat map. " + "columns are a, b; " * 1100,
    "no names": "Bar chart. The bars  are 12 and 14. and are 3 and 4. The bars of & are 3 and 4.",
}


def pairs(words: str) -> list[tuple[str, float | None]]:
    return [(str(o.x), o.y) for s in read(words).series for o in s.observations]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("The y-axis runs from 0 to 4,000,000. Oslo: 1.2 million, Rome: 3 million.", [1.2e6, 3e6]),
        ("Oslo: 1.2 million, Rome: 900,000.", [1.2e6, 9e5]),
        ("Oslo 12, Rome 3. Oslo is 9 more than Rome.", [12, 3]),
        ("Oslo: 12, Rome: 3. From Rome to Oslo it rises by 9.", [12, 3]),
        ("Oslo: 12 (40%), Rome: 3 (10%).", [12, 3]),
        ("Y ticks: 0, 5, 10. Oslo: 12, Rome: 3.", [12, 3]),
        ("Oslo: 1\u202f200, Rome: 900.", [1200, 900]),
        ("\n| Town | Value |\n|---|---|\n| Oslo | 12,5 |\n| Rome | 3,5 |", [12.5, 3.5]),
        ("Oslo: 5 × 10^3, Rome: 3 × 10³.", [5000, 3000]),
        ("Oslo: 3 bn, Rome: 2 bn.", [3e9, 2e9]),
    ],
)
def test_the_numbers_of_places(words: str, told: list[float]) -> None:
    found = pairs(f"Bar chart. {words}")
    assert found == [("Oslo", pytest.approx(told[0])), ("Rome", pytest.approx(told[1]))]


@pytest.mark.parametrize(
    "words",
    [
        "Source: Eurostat 2021. Oslo: 12, Rome: 3.",
        "Oslo: 12, Rome: 3. The difference between them is 9.",
        "Oslo: 12, Rome: 3. Together Oslo and Rome make up 15.",
        "Oslo: 12, Rome: 3. Only Oslo is above 5. All other cities are below 5.",
        "Oslo: 12, Rome: 3. Compared with 2010, sales were higher.",
        "The survey covered 1,200 people. Oslo: 12, Rome: 3.",
        "Oslo: 12, Rome: 3. In summary, Oslo leads with 12 while Rome has 4.",
        "It compares five regions and three years in two panels. Oslo: 12, Rome: 3.",
        "Oslo: 12, Rome: 3. Observation: Rome is 4 times smaller.",
        "Oslo: 12, Rome: 3, with an overall increase of about 9 units.",
    ],
)
def test_what_is_no_number_of_a_place(words: str) -> None:
    assert pairs(f"Bar chart. {words}") == [("Oslo", 12), ("Rome", 3)]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            "In 2010 it was 5, the following year 6, and two years later 9.",
            [("2010.0", 5), ("2011.0", 6), ("2013.0", 9)],
        ),
        ("In January it was 3, in July 25.", [("January", 3), ("July", 25)]),
        ("In January it was 3, and in July it was 25.", [("January", 3), ("July", 25)]),
        ("In Oslo it was 3 in 2000 and 4 in 2001.", [("2000.0", 3), ("2001.0", 4)]),
        (
            "Sales rose by 5 to 20 in 2015 and fell by 2 points to 18 in 2016.",
            [("2015.0", 20), ("2016.0", 18)],
        ),
    ],
)
def test_numbers_of_times(words: str, told: list[tuple[str, float]]) -> None:
    assert pairs(f"Line chart. {words}") == told


@pytest.mark.parametrize(
    "words",
    [
        # Letters that a pattern takes for i and s, and `lower` does not.
        "The bars are p\u0131nk. A: 3, B: 4.",
        "The bars are \u017falmon. A: 3, B: 4.",
        "The l\u0131ne for Ghana: 2000: 3, 2001: 4.",
        'Scatter plot. "A" is drawn with c\u0131rcles. (1, 2), (3, 4).',
        '"A" is drawn \u017folid. "A": 1: 3, 2: 4.',
        "A combined chart, bar\u017f for sales and a l\u0131ne for margin. 2001: 3, 2002: 4.",
        # What has no logarithm.
        'The y-axis is logarithmic. The names are at the ends of the lines. "A": 1: 0, 2: 5.',
        "The y-axis is logarithmic and runs from -10 to -1. The names are at the ends of the "
        'lines. "A": 1: 2, 2: 5.',
        'The x-axis is logarithmic. A region from 5 to -3 is shaded. "A": 1: 3, 10: 5.',
        "The plot is 400 by 01 pixels. The y-axis is logarithmic. The names are at the ends of "
        'the lines. "A": 1: 1e-39, 2: 1e-39. "B": 1: 1e39, 2: 1e39.',
    ],
)
def test_odd_letters_and_odd_numbers_are_drawn(words: str) -> None:
    redrawn = PlainRedraw().sync(f"A line chart. {words}")
    assert redrawn.spec is not None


def test_a_number_of_any_length_is_no_place() -> None:
    found = read("Bar chart.\n|t|v|\n|---|---|\n|hour " + "9" * 400 + "|3|\n|hour 2|4|")
    assert all(isinstance(o.x, str) for s in found.series for o in s.observations)


def test_a_word_of_a_dash_beside_numbers_is_a_word() -> None:
    words = "Series: Ghana, Kenya. Ghana starts at 15 in 1990 and reaches a solid 30 in 2000."
    assert pairs(f"Line chart. {words}") == [("1990.0", 15), ("2000.0", 30)]
    words = "Alaska covers 12 square miles in 2000 and 13 square miles in 2001."
    assert pairs(f"Line chart. {words}") == [("2000.0", 12), ("2001.0", 13)]


@pytest.mark.parametrize(
    ("words", "where"),
    [
        ('Bar chart. The y-axis is titled "Sales (million)". Oslo: 1.2 million, Rome: 3 million. '
         "A horizontal dashed line stands at 2 million.", ("level", 0, 2)),
        ("Bar chart. The y-axis runs from 0 to 4,000,000. Oslo: 1.2 million, Rome: 3 million. "
         "A horizontal dashed line stands at 2 million.", ("level", 0, 2e6)),
        ("A horizontal bar chart. Oslo: 40 %, Rome: 60 %. A vertical dashed line at 50 % is "
         'labelled "half".', ("moment", 0.5, 0)),
        ("A horizontal bar chart. Oslo: 40, Rome: 60. A dashed line stands across the plot at 50.",
         ("moment", 50, 50)),
    ],
)  # fmt: skip
def test_a_remark_counts_as_its_axis_does(words: str, where: tuple[str, float, float]) -> None:
    [note] = read(words).notes
    assert (note.sort, note.x, note.y) == where


async def test_powers_of_ten_stand_at_their_ticks() -> None:
    """Whichever of them are drawn, and in whatever order they were told."""
    ends = "The y-axis is logarithmic, runs from 10^-6 to 10^-3, with ticks at "
    spec = specification(read(f'Line chart. {ends}10^-3, 10^-9, 10^-6. "A": 1: 1e-4, 2: 1e-5.'))
    texts = (await shared_renderer().render(spec)).scene.texts
    assert [text for text in texts if "^" in text] == ["10^-6", "10^-3"]


def test_a_remark_too_many_is_no_number() -> None:
    lines = " ".join(f"A vertical dashed line stands at x = {n}." for n in range(25))
    chart = read(f"Bar chart. Oslo: 12, Rome: 3. {lines}")
    assert (len(chart.notes), chart.ignored) == (20, 0)
    assert [o.x for s in chart.series for o in s.observations] == ["Oslo", "Rome"]


async def test_a_line_of_the_legend_has_no_end() -> None:
    words = 'Line chart. The names are at the ends of the lines. "A": Oslo: 1, Rome: 5. '
    spec = specification(read(words + 'A dashed line stands at 3, named "Target".'))
    assert "null" not in (await shared_renderer().render(spec)).scene.texts


async def test_a_remark_leaves_small_multiples_as_they_are() -> None:
    words = 'Bar chart. Panel "North": Oslo: 1, Rome: 2. Panel "South": Oslo: 3, Rome: 4. '
    spec = specification(read(words + 'A horizontal dashed line stands at 2, labelled "target".'))
    rows = (await shared_renderer().render(spec)).scene.rows
    assert {row.keys for row in rows} == set(
        itertools.product(("Oslo", "Rome"), ("North", "South"))
    )


def test_a_heading_that_repeats_the_line_before_keeps_its_colon() -> None:
    one = '(a) Line chart titled "T": "A": 1: 3, 2: 4.'
    assert len(read(f"{one}\n{one}").panels) == 2


async def test_a_sheet_is_one_drawing_with_one_limit() -> None:
    points = ", ".join(f"({n}, {n})" for n in range(600))
    sheet = read("\n".join(f"({name}) Scatter plot. {points}" for name in "abc"))
    assert sum(panel.observed for panel in sheet.panels) <= 1000
    assert (await shared_renderer().render(specification(sheet))).scene.rows


def test_ticks_are_no_bars() -> None:
    assert pairs("Bar chart. Y ticks: 0, 5, 10.") == []


@pytest.mark.parametrize(
    ("words", "x", "y"),
    [
        (
            "The x-axis is labelled Population. The y-axis is labelled Season.",
            "Population",
            "Season",
        ),
        ("x-axis: GDP of China, y-axis: Handling", "GDP of China", "Handling"),
        ("x-axis: Land, y-axis: Demand for the land", "Land", "Demand for the land"),
        ("x: Year, y: Gold", "Year", "Gold"),
        ("Horizontal axis: Year and vertical axis: Gold", "Year", "Gold"),
    ],
)
def test_titles_of_axes_are_read_whole(words: str, x: str, y: str) -> None:
    chart = read(f"Bar chart. {words}")
    assert (chart.x.title, chart.y.title) == (x, y)


def test_names_of_an_axis_are_read_whole() -> None:
    chart = read("Bar chart. The x-axis lists Oslo, Bern and Malta.")
    assert chart.x.members == ["Oslo", "Bern", "Malta"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_read_to_its_end(name: str) -> None:
    """In the sandbox, whose limit is on processor time: a loaded machine does not decide."""
    redrawn = PlainRedraw().sync(HOSTILE[name])
    assert redrawn.reason not in BREACHES.values()
    assert len(json.dumps(redrawn.spec)) < 400_000


@pytest.mark.parametrize("name", ["pairs", "tuples", "members", "long table"])
def test_what_is_drawn_has_a_limit(name: str) -> None:
    assert read(HOSTILE[name]).observed <= 1000


async def test_nothing_to_draw_has_a_reason() -> None:
    redrawn = await PlainRedraw()("")
    assert redrawn.spec is None
    assert redrawn.reason == "no statement about a chart was understood"
    assert (await PlainRedraw()("Draw exactly the original.")).spec is None


async def test_equal_descriptions_are_read_once():
    text = 'A bar chart titled "Read once". Oslo: 12, Bergen: 30.'
    first, second = await asyncio.gather(PlainRedraw()(text), PlainRedraw()(text))
    assert second is first
    assert PlainRedraw().sync(text) is first


@pytest.mark.parametrize(
    "look", ["14 pixels high", "centred", "on the left", "bold and centred above the plot", "12pt"]
)
def test_how_a_title_looks_is_no_title(look: str) -> None:
    assert not read(f"A bar chart. The title is {look}. Oslo: 12, Bergen: 30.").title
    told = read(f'A bar chart. The title is {look}. The title is "Rain". Oslo: 12, Bergen: 30.')
    assert told.title == "Rain"


READ_WHOLE = {
    "First half: 21, second half: 34.": {"First half": 21, "second half": 34},
    "Bottom half (12), top half (15)": {"Bottom half": 12, "top half": 15},
    "Sizes: Half: 5, Full: 9": {"Half": 5, "Full": 9},
    "Sales were 12 in the Northwest, 9 in the Midwest and 7 in the West.": {
        "Northwest": 12, "Midwest": 9, "West": 7,
    },
    "12 in the harvest, 9 in spring": {"harvest": 12, "spring": 9},
    "Oslo: 5, Rome: 3. The red one is the tallest one and the blue one is short.": {
        "Oslo": 5, "Rome": 3,
    },
    "Trend: 5, Noise: 7.": {"Trend": 5, "Noise": 7},
    "Oslo at 5, perhaps 7 for Rome": {"Oslo": 5, "Rome": 7},
    "Q1 had a gain of 12, Q2 a loss of 5, Q3 a gain of 7.": {"Q1": 12, "Q2": 5, "Q3": 7},
    "Oslo: 12, Rome: 3, with an overall gain of 9.": {"Oslo": 12, "Rome": 3},
    "Jan 2010: 4, Marketing: 5, Mayor: 6.": {"Jan 2010": 4, "Marketing": 5, "Mayor": 6},
    "In 2010 there were 2045 cars; the following year 2060 and two years later 2075.": {
        "2010": 2045, "2011": 2060, "2013": 2075,
    },
}  # fmt: skip


@pytest.mark.parametrize("words", READ_WHOLE)
def test_words_that_look_like_an_aside_are_not_taken_out(words: str) -> None:
    [series] = read(f"Bar chart. {words}").series
    assert {o.x: o.y for o in series.observations} == READ_WHOLE[words]


def test_the_name_of_a_line_is_not_cut_at_a_noun_that_begins_like_a_verb() -> None:
    chart = read(
        "Line chart. In blue, the line representing air passengers goes from 3 in 2010 to 5 in "
        "2012. In red, the line representing sea level goes from 4 in 2010 to 9 in 2012."
    )
    assert [series.name for series in chart.series] == ["air passengers", "sea level"]
