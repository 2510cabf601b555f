"""Plain English about a chart, read by rules: kind, title, axes, series, numbers, looks.

    chart = read('A bar chart titled "Rain". Oslo: 12, Rome: 30.')
    chart.kind, chart.title, chart.series[0].observations

The surprise: nothing is refused. A statement that no rule understands is left out and counted
(`PlainChart.ignored`), and of two statements about one place the last counts. Longer than other
files: the rules are tried in an order that matters, and are read best in it.
"""

from __future__ import annotations

import re
from dataclasses import replace

from inward_rewards.images.plain import looks
from inward_rewards.images.plain.chart import Kind, Number, Observation, PlainChart, Series
from inward_rewards.images.plain.facts import Fact, clean, facts, listed
from inward_rewards.images.plain.numbers import (
    COLOR,
    NUMBER,
    NUMBERS,
    color,
    iso_date,
    number,
    numbers,
    plain_number,
)
from inward_rewards.images.plain.text import NAME, Line, Table, cut, sentences

MAX_OBSERVATIONS = 900
"""What a drawing may hold; more are not read."""

_FIELD = re.compile(r"^([^:=]{1,80}?)\s*[:=]\s+(\S.*)$|^([^:=]{1,80}?)\s*:$")
_GROUP_WORDS: dict[str, Kind | None] = {
    "bar": "bar", "bars": "bar", "column": "bar", "columns": "bar", "line": "line",
    "lines": "line", "curve": "line", "area": "area", "steps": "step", "points": "point",
    "dots": "point", "circles": "point", "band": "band", "series": None, "values": None,
    "numbers": None, "figures": None, "data": None, "slices": None, "cells": None, "row": None,
}  # fmt: skip
_HEAD = re.compile(
    rf"^(?:and )?(?:the |a |an )?(?:(?:shaded|solid|dashed|{COLOR.pattern}) )?"
    rf"(?P<word>{'|'.join(_GROUP_WORDS)})"
    r"(?:(?: data)?(?: points)?(?: values)?(?: for| of| in)(?: the)?|,? (?:nam"
    r"ed|called|titled|labelled|labeled))?"
    rf" (?:(?:series|line|year|group) )?(?P<name>{NAME}|[^\s:,]+(?: (?!is\b|are"
    rf"\b|was\b|were\b|at\b|with\b|sit\b|lie\b)[^\s:,()]+){{0,3}}?)"
    rf"(?P<notes>(?:\s*\([^()]{{0,60}}\)|, (?:with dots|on the right axis|measu"
    rf"red on the right axis|in {COLOR.pattern}|dashed))*)"
    r",?\s*(?P<rest>:.*|\b(?:is|are|was|were|has|have|shows?|begins?|starts?|g"
    r"oes|runs?|rises?|falls?|"
    rf"opens?|reads?|sit|lie|stand|stands)\b.*)$",
    re.IGNORECASE,
)
_BARE_HEAD = re.compile(
    r"^(?:and )?(?:the )?(?:shaded |blue |dashed )?(?P<word>bars|columns|line|"
    r"area|points|dots|band|steps)"
    r"(?P<notes>(?:, (?:with dots|on the right axis|measured on the right axis"
    r"))*)\s*(?:shows?|gives?)?\s*:\s*(?P<rest>.*)$",
    re.IGNORECASE,
)
_FOR = re.compile(
    rf"^(?:for|in) (?:the )?(?P<name>{NAME}|[^,:]{{1,40}}?),? (?:the )?"
    r"(?:(?:values|numbers|figures|bars|points|heights)\s*(?:are|were|:)|it (?"
    r":is|was)|they (?:are|were)|we (?:see|have))\s*(?P<rest>.*)$",
    re.IGNORECASE,
)
_PANEL = re.compile(
    rf"^(?:in )?(?:the )?(?:\w+ )?panel,? (?:for |of |titled |named )?({NAME}|["
    rf"^:,]{{1,60}}?)\s*[:,]\s*(.*)$",
    re.IGNORECASE,
)
_RULE = re.compile(
    r"\b(?:horizontal|dashed|dotted|reference)(?: \w+){0,2} (?:line|rule)\b."
    r"{0,40}?\bat\b\s+(.{1,40}?)(?:,|$| across| named| labelled)",
    re.IGNORECASE,
)
_ZIP = re.compile(
    r"^(?:.*?\b(?:values?|numbers|figures|shares|heights|bars)\s+(?:for|of)\s+"
    r"|for\s+)?(?P<names>.+)\s+"
    r"(?:are|is|were|was|make up|makes up|have|has|come to|total|reach|account"
    r" for|take|stand at|at|with|show|of|scored?|got|earned?)\s+(?P<values>[-−"
    r"$€£]?\d.*)$",
    re.IGNORECASE,
)
_THE_BARS = re.compile(
    r"\b(?:bars|columns|slices|categories|segments|lines|rows|items|groups)\b["
    r"^.;:]{0,30}?(?:\bare\b|:)\s*(?P<names>[^;:]+)(?:;|$)",
    re.IGNORECASE,
)
_SECTIONS = frozenset(
    "data values points data points data values axes axis labels axis labels categories colors "
    "colours key details observations numbers overview description summary chart description "
    "visual elements series lines bars slices segments the data the values trends "
    "approximate values data series".split(" ")
) | {
    "data points",
    "axis labels",
    "data values",
    "chart description",
    "visual elements",
    "data series",
    "approximate values",
}
_POINT_LISTS = frozenset(
    {
        "points",
        "data",
        "data points",
        "values",
        "the points",
        "dots",
        "bins",
        "slices",
        "bars",
        "segments",
        "numbers",
        "results",
        "shares",
        "readings",
    }
)
_BETWEEN = re.compile(
    rf"({NUMBER})[^\d,]{{0,40}}?\b(?:between|from)\s+({NUMBER})\s+(?:and|to)\s+({NUMBER})"
)
_COUNTED = re.compile(r"^(.+?)\s+(?:has|have|had|with|employs?|counts?)\s+(\d.*)$")
_COUNT = re.compile(rf"({NUMBER})\s+([A-Za-z][\w -]{{0,40}})")
_SHAPE = re.compile(
    r"^(?:a |an |the )?(?P<word>rectangles?|lines?|dots?|areas?) in (?P<color>"
    rf"{COLOR.pattern})(?: (?:at|through|over|between))?\s*:\s*(?P<rest>.*)$",
    re.IGNORECASE,
)
_PAIR = re.compile(r"\(([^()]{1,60})\)")


class _Reader:
    def __init__(self, description: str) -> None:
        self.text = cut(description)
        self.chart = PlainChart()
        self.heads: list[tuple[int, str]] = []
        self.panel = ""
        self.header = ""
        """A heading that may be the title."""
        self.subjects: set[str] = set()
        """Series named by the subject of a sentence."""
        self.pending: list[str] = []
        """Names without numbers yet."""
        self.by_head: dict[tuple[str, str], Series] = {}

    def read(self) -> PlainChart:
        pieces = self.text.pieces
        for place, piece in enumerate(pieces):
            if isinstance(piece, Table):
                self.table(piece)
                continue
            following = pieces[place + 1] if place + 1 < len(pieces) else None
            deeper = isinstance(following, Line) and following.indent > piece.indent
            self.line(piece, deeper or isinstance(following, Table))
        if (
            not self.chart.title
            and self.header
            and looks.kind_of(self.header, PlainChart()) == self.header
        ):
            self.chart.title = self.header
        names = {series.name for series in self.chart.series}
        if len(names) == 1 and names <= self.subjects:
            # The one thing that the chart is about, and no entry of a legend.
            for series in self.chart.series:
                series.name = ""
        return self.chart

    def unquote(self, text: str) -> str:
        return self.text.unquoted(text)

    # lines

    def line(self, line: Line, opens: bool) -> None:
        while self.heads and self.heads[-1][0] >= line.indent:
            self.heads.pop()
        text = line.text
        bare = text.rstrip(":").strip()
        if line.header and not NUMBERS.search(text):
            self.chart.statements += 1
            if not self.by_head and text.lower() not in _SECTIONS:
                self.header = self.header or self.unquote(text)
            looks.kind_of(text, self.chart)
            return
        head = re.sub(r"\s*\([^()]*\)$", "", bare)
        if (text.endswith(":") or opens) and len(head) <= 60 and not self._speaks(head):
            self.open_head(line.indent, bare)
            return
        if (
            len(
                re.findall(
                    r"(?:^|;)\s*(?:title|[xy](?:[- ]axis)?|values|data|legend)\s*:",
                    text,
                    re.IGNORECASE,
                )
            )
            >= 2
        ):
            for part in text.split(";"):
                for sentence in sentences(part):
                    self.statement(sentence)
            return
        for sentence in sentences(text):
            self.statement(sentence)

    def _speaks(self, head: str) -> bool:
        """Whether a line is a statement, and not the name of what follows."""
        if looks.AXIS.search(head) or any(
            p.search(head) for p in (re.compile(r"\b(?:titled|legend|background)\b", re.I),)
        ):
            return True
        before = self.chart.kind
        probe = PlainChart()
        looks.kind_of(head, probe)
        return (probe.kind is not None and before is None) or (
            bool(facts(head)) and not head[:1].isupper()
        )

    def open_head(self, indent: int, words: str) -> None:
        self.chart.statements += 1
        name = re.sub(r"\s*\([^()]*\)$", "", words)
        if re.search(
            r"\b(?:are|is|there|follow(?:s|ing)?|shown|has|two|three|four|five|six)\b", name
        ):
            self.chart.color = color(name) or self.chart.color
            self.heads.append((indent, ""))
            return
        if panel := re.match(rf"^(?:the )?panel\s+({NAME}|.+)$", name, re.IGNORECASE):
            self.panel = self.unquote(panel[1])
            return
        name = re.sub(
            r"^(?:the )?(?:values|data|line|bars|series|points|numbers)\s+(?:for|of|in"
            r")\s+(?:the )?",
            "",
            name,
            flags=re.IGNORECASE,
        )
        name = re.sub(r"\s+(?:line|bars|series|data|values)$", "", name)
        shown = self.unquote(name)
        if shade := color(words[len(name) :]):
            self.chart.colors[shown.lower()] = shade
        section = shown.lower() in _SECTIONS or shown.lower().endswith((" data", " values"))
        self.heads.append((indent, "" if section else shown))

    @property
    def head(self) -> str:
        return next((name for _, name in reversed(self.heads) if name), "")

    # statements

    def statement(self, text: str) -> None:
        self.chart.statements += 1
        if not self._understood(text):
            self.chart.ignored += 1

    def _understood(self, text: str) -> bool:
        chart = self.chart
        known = self._known()
        text = looks.caption(text, chart)
        if not text:
            return True
        if shape := _SHAPE.match(text):
            return self.shape(shape)
        if panel := _PANEL.match(text):
            self.panel = self.unquote(panel[1])
            return not panel[2] or self._understood(panel[2])
        if done := self.field(text):
            return done
        if self.rule_line(text):
            return True
        grouped = self.group(text)
        if grouped:
            return True
        if text.lower() in looks.BARE_KINDS and chart.kind is None:
            chart.kind = looks.BARE_KINDS[text.lower()]
            return True
        rest = looks.title_of(text, chart, self.unquote)
        before = rest
        rest = looks.kind_of(rest, chart)
        if rest != before or re.fullmatch(rf"\W*{NAME}\W*", rest):
            rest = looks.loose_title(rest, chart, self.unquote)
        looks.variety(rest.lower(), chart)
        if looks.legend_of(rest, chart, self.unquote):
            return True
        if re.search(NUMBERS, rest) or "(" in rest:
            trimmed = looks.beside_axes(rest, chart)
            if trimmed != rest and not looks.AXIS.search(trimmed):
                return self.data(trimmed, self.head) or True
            rest = trimmed
        if looks.axes_of(rest, chart, self.unquote):
            self.take_values()
            return True
        style = looks.style_of(rest, chart)
        if style and not re.search(NAME, rest) and not re.search(r":\s*\S", rest):
            return True
        found = self.data(rest, self.head)
        shaded = looks.colors_of(text, chart, self.unquote)
        names = False if found else self.names(rest)
        return found or shaded or names or style or self._known() != known

    def _known(self) -> tuple[object, ...]:
        c = self.chart
        return (
            c.kind,
            c.title,
            c.subtitle,
            c.horizontal,
            c.stack,
            c.dots,
            c.printed,
            c.color,
            len(c.colors),
        )

    def field(self, text: str) -> bool:
        """`Key: value`, where the key is one that charts have, or the name of a series."""
        match = _FIELD.match(text)
        if match is None or match[1] is None:
            return False
        key, value = match[1].strip(), match[2].strip()
        word = re.sub(r"[\W_]+", " ", key.lower()).strip()
        chart = self.chart
        if word in (
            "type",
            "kind",
            "chart",
            "chart type",
            "chart kind",
            "plot type",
            "graph type",
            "plot",
            "graph",
            "figure type",
        ):
            looks.kind_of(value, chart)
            if chart.kind is None:
                chart.kind = looks.BARE_KINDS.get(
                    value.lower().split()[-1].strip(".")
                ) or looks.BARE_KINDS.get(value.lower().split()[0])
                chart.histogram, chart.donut = (
                    value.lower().startswith("hist"),
                    "donut" in value.lower(),
                )
            looks.variety(value.lower(), chart)
            return True
        if word in ("title", "chart title", "heading", "name", "main title"):
            chart.title = chart.title or self.unquote(value).strip(" .")
            return True
        if word in ("subtitle", "sub title"):
            chart.subtitle = self.unquote(value)
            return True
        if place := re.fullmatch(
            r"(x|y|horizontal|vertical|right|left|bottom)(?: ax[ei]s)?(?: (?:label|title|name))?",
            word,
        ):
            axis = (
                chart.y
                if place[1] in ("y", "vertical", "left")
                else chart.right
                if place[1] == "right"
                else chart.x
            )
            looks.axis_words(axis, value, chart, self.unquote)
            self.take_values()
            return True
        if place := re.fullmatch(
            r"(x|y|horizontal|vertical)(?: axis)? (?:range|limits|scale)", word
        ):
            looks.axis_words(
                chart.y if place[1] in ("y", "vertical") else chart.x, value, chart, self.unquote
            )
            return True
        if word in ("series", "legend", "legend entries", "groups", "lines"):
            if (word == "legend" and not re.search(r",|;|\band\b", value)) or re.search(
                r"titled?\b", value
            ):
                return looks.legend_of(text, chart, self.unquote)
            chart.legend = [
                self.unquote(re.split(r"\s*[(=]|\s+-\s", name)[0])
                for name in listed(re.sub(r"^.{0,60}?:\s*", "", value))
            ]
            looks.colors_of(value, chart, self.unquote)
            return True
        if word in ("legend title", "legend name"):
            chart.legend_title = self.unquote(value)
            return True
        if word in ("categories", "labels", "x values", "x labels", "categories in order") and len(
            numbers(value)
        ) in (0, len(listed(value))):
            chart.x.members = [self.unquote(name) for name in listed(value)]
            return True
        if word in ("colors", "colours", "color", "colour"):
            if not looks.colors_of(value, chart, self.unquote):
                chart.color = color(value) or ""
            return True
        if word in ("background", "size", "grid", "gridlines"):
            return looks.style_of(text, chart)
        if word in _POINT_LISTS or (
            re.fullmatch(r"(?:data )?(?:points|values) [\w ]*", word) and "(" in key
        ):
            return self.data(value, self.head)
        if re.search(
            r"\b(?:axis|title|legend|chart|plot|scale|panel|whisker)\b", word
        ) or looks.AXIS.search(key):
            return False
        found = facts(value)
        if found and found[0].label is None and not found[0].more and any(f.label for f in found):
            return False
        explicit = len(found) >= 2 or bool(found and found[0].label and found[0].label != value)
        if (
            explicit
            and not found[0].box
            and not NUMBERS.search(
                re.sub(r"(?:series|line|group) \d+", "", key, flags=re.IGNORECASE)
            )
        ) or (len(found) >= 2 and found[0].label):
            name = self._group_name(key)
            return self.add(found, name, self._group_kind(key), notes=key)
        return False

    def _group_name(self, key: str) -> str:
        if quoted := re.findall(NAME, key):
            return self.unquote(quoted[-1])
        if numbered := re.match(r"^(?:series|line|group) \d+ \((.+)\)$", key, re.IGNORECASE):
            return self.unquote(numbered[1])
        if re.match(r"^there (?:are|is)\b", key, re.IGNORECASE):
            self.chart.color = color(key) or self.chart.color
            return ""
        key = re.sub(r"\s*\([^()]*\)\s*$", "", key)
        key = re.sub(
            r"^(?:the )?(?:values|data|line|bars|series|points|numbers|row|figures)(?:"
            r" points| values)?\s+(?:for|of|in)\s+(?:the )?(?:year )?|^(?:for|in|row|s"
            r"eries|line) ",
            "",
            key,
            flags=re.IGNORECASE,
        )
        key = re.sub(
            r"\s+(?:line|bars|series|values|data)$|^the (?=[a-z]+$)",
            "",
            key.strip(),
            flags=re.IGNORECASE,
        )
        if (
            re.search(r"\b(?:bars|slices|segments|columns|points|dots|values|numbers|lines)$", key)
            and len(key.split()) > 2
        ):
            self.chart.color = color(key) or self.chart.color
            return ""
        return (
            ""
            if key.lower().strip() in _POINT_LISTS or key.lower() in _GROUP_WORDS
            else key.strip()
        )

    def _group_kind(self, key: str) -> Kind | None:
        words = re.findall(r"[a-z]+", key.lower())
        if not self.chart.kind:
            return None
        return next((_GROUP_WORDS[word] for word in words if _GROUP_WORDS.get(word)), None)

    def group(self, text: str) -> bool:
        """`The line for Ghana begins at 15 in 1990, ...`: a series of its own."""
        if looks.AXIS.match(text) or re.match(
            r"^(?:the )?(?:[xy]|horizontal|vertical)\b", text, re.IGNORECASE
        ):
            return False
        if bare := _BARE_HEAD.match(text):
            return self.add(
                facts(bare["rest"]),
                self.head,
                _GROUP_WORDS[bare["word"].lower()],
                notes=bare["notes"],
            )
        if match := _FOR.match(text):
            return self.add(facts(match["rest"]), self.unquote(match["name"]), None)
        match = _HEAD.match(text)
        if match is None:
            return False
        word, name, rest = match["word"].lower(), match["name"], match["rest"].lstrip(": ")
        if len(listed(name)) > 1 or name.lower() in (
            "chart",
            "graph",
            "plot",
            "at",
            "are",
            "is",
            "that",
            "points",
        ):
            return False
        if re.search(r"\b(?:titled|axis|chart|graph)\b", name + match["rest"][:30]):
            return False
        found = facts(rest)
        if not found:
            return False
        if found[0].label is None and not found[0].more and any(f.label for f in found):
            return False
        if len(found) == 1 and found[0].label is None and word not in ("line", "curve", "area"):
            return False
        return self.add(
            found,
            self.unquote(name),
            _GROUP_WORDS[word],
            notes=match.group(0)[: match.start("rest")],
        )

    def rule_line(self, text: str) -> bool:
        match = _RULE.search(text)
        found = numbers(match[1]) if match else []
        if not found:
            return False
        name = re.search(NAME, text)
        series = self._series(self.unquote(name.group()) if name else "", "rule")
        series.observations.append(
            Observation(None, found[0].value, scale=found[0].scale, percent=found[0].percent)
        )
        return True

    def shape(self, match: re.Match[str]) -> bool:
        corners: list[tuple[float, ...]] = []
        for piece in _PAIR.findall(match["rest"]):
            found = [value.value for value in numbers(piece)]
            if found and sum(map(len, corners)) < 4 * MAX_OBSERVATIONS:
                corners.append(tuple(found))
        if corners:
            self.chart.shapes.append(
                (match["word"].lower().rstrip("s"), color(match["color"]) or "", corners)
            )
        return bool(corners)

    # numbers

    def data(self, text: str, head: str) -> bool:
        """What a sentence says of numbers; whether there was anything."""
        if not NUMBERS.search(text) and not re.search(r"\d+\s*[-–]\s*\d+", text):
            return False
        for part in re.split(r";(?=[^;]*\b(?:lengths?|values?|heights?)\b)", text):
            if (the := _THE_BARS.search(part)) and not NUMBERS.search(the["names"]):
                self.names(part)
        if self.chart.histogram:
            text = _BETWEEN.sub(r" \2-\3: \1 ", text)
        if self.chart.stack and (counted := self.counted(text)):
            return counted
        zipped = self.zipped(text, head)
        if zipped:
            return True
        return self.add(facts(text), head, None)

    def counted(self, text: str) -> bool:
        """`Sales has 20 women and 15 men`, in a chart of stacked or grouped bars."""
        match = _COUNTED.match(text)
        parts = [_COUNT.fullmatch(part.strip()) for part in listed(match[2])] if match else []
        if match is None or len(parts) < 2 or not all(parts):
            return False
        name = clean(match[1])
        found = [Fact(part[2], number(part[1])) for part in parts if part]
        if not name or len({fact.label for fact in found}) < len(found):
            return False
        for fact in found:
            self.observe(self._series(str(fact.label), None), self.unquote(name), fact)
        return True

    def zipped(self, text: str, head: str) -> bool:
        """`The values for A, B and C are 1, 2 and 3.`"""
        match = _ZIP.match(re.sub(r",?\s*\b(?:each )?respectively\b", "", text))
        if match is None:
            return False
        values = [
            number(
                re.sub(r"^(?:about|approximately)\s+|\s+respectively$|\s*[a-zA-Z ]+$", "", part)
                or ""
            )
            for part in listed(match["values"])
        ]
        values = [
            value or next(iter(numbers(part)), None)
            for value, part in zip(values, listed(match["values"]), strict=True)
        ]
        known = [value for value in values if value is not None]
        names = listed(
            re.sub(
                r"^.*\b(?:slices|bars|columns|categories|segments) |^.*\b(?:values?|number"
                r"s|figures|shares)\s+(?:for|of)\s+",
                "",
                match["names"],
                flags=re.IGNORECASE,
            )
        )
        if not names:
            return False
        names[-1:] = [re.sub(r",? the (?:values|numbers|figures|heights)$", "", names[-1])]
        names = [name for name in names if not NUMBERS.search(name) or len(names) >= 2]
        if len(known) < 2 or len(names) != len(known) or len(known) != len(values):
            return False
        if any(NUMBERS.search(name) and not plain_number(name) for name in names):
            return False
        if any(
            re.search(r"[a-zA-Z]{3,}", NUMBERS.sub("", part)) and "respectively" not in part
            for part in listed(match["values"])[:-1]
        ):
            return False
        first = clean(names[0]) or names[0]
        found = [Fact(name, value) for name, value in zip([first, *names[1:]], known, strict=True)]
        return self.add(found, head, None)

    def zip_values(self, values: list[Number], head: str) -> bool:
        """Numbers without names: one for each category that is listed, or each name before them."""
        for names in (self.pending, self.chart.x.members, self.chart.y.members):
            if len(names) == len(values) >= 2:
                return self.add(
                    [Fact(name, value) for name, value in zip(names, values, strict=True)],
                    head,
                    None,
                )
        return False

    def take_values(self) -> None:
        """Numbers that stood where the axis of y was described belong to the places of x."""
        values = [found for name in self.chart.y.members if (found := number(name))]
        if len(values) >= 2 and self.zip_values(values, ""):
            self.chart.y.members = []

    def names(self, text: str) -> bool:
        """`The bars are Plaza, Astoria and Park`: names whose numbers follow."""
        match = _THE_BARS.search(text)
        if match is None:
            return False
        found = [self.unquote(name) for name in listed(match["names"])]
        if len(found) < 2 or any(len(name) > 60 for name in found):
            return False
        self.pending = found
        return True

    def _series(self, name: str, kind: Kind | None, notes: str = "") -> Series:
        key = (self.panel, f"{name}/{kind or ''}".lower())
        if key not in self.by_head:
            self.by_head[key] = Series(name, kind, self.panel)
            self.chart.series.append(self.by_head[key])
        series = self.by_head[key]
        series.right = series.right or "right axis" in notes
        series.dots = series.dots or "with dots" in notes
        if (
            name
            and (shade := color(re.sub(NAME, "", notes)))
            and name.lower() not in self.chart.colors
        ):
            self.chart.colors[name.lower()] = shade
        return series

    def add(self, found: list[Fact], head: str, kind: Kind | None, notes: str = "") -> bool:
        """Puts facts into the chart; whether any of them says something."""
        bare = [fact.value for fact in found if fact.label is None and fact.value and not fact.more]
        if len(bare) >= 2 and len(bare) >= len(found) - 1 and found[0].interval is None:
            values = [fact.value for fact in found if fact.value]
            if self.zip_values(values, head) or (
                len(values) > len(bare) and self.zip_values(bare, head)
            ):
                return True
        if self.chart.kind == "point" and not any(fact.more for fact in found):
            return self.add_pairs(found, head)
        if (
            not head
            and self.chart.kind in ("line", "step", "area")
            and found
            and found[0].subject
            and all(f.subject in ("", found[0].subject) for f in found)
        ) and (len(found) > 1 or found[0].subject in self.subjects):
            head = self.unquote(found[0].subject)
            self.subjects.add(head)
        said = False
        room = MAX_OBSERVATIONS - self.chart.observed
        for fact in found[: max(0, room)]:
            if fact.label is None and not (fact.box and head):
                continue
            label = self.unquote(fact.label) if fact.label is not None else head
            kind_here, name = kind, head
            if (
                kind is None
                and fact.interval
                and fact.value is None
                and fact.label is not None
                and not fact.box
            ):
                kind_here = "band"
            self.observe(self._series(name, kind_here, notes), label, fact)
            said = True
        return said

    def add_pairs(self, found: list[Fact], head: str) -> bool:
        """`12 and 20, 18 and 45` in a scatter plot; names with a number in a dot plot."""
        if found and all(
            fact.label is None or plain_number(fact.label) is not None for fact in found
        ):
            flat = [
                n
                for fact in found
                for n in ((number(fact.label) if fact.label else None), fact.value)
                if n
            ]
            if len(flat) % 2 or len(flat) < 2:
                return False
            series = self._series(head, None)
            series.observations += [
                Observation(a.value, b.value, percent=b.percent)
                for a, b in zip(flat[::2], flat[1::2], strict=True)
            ]
            return True
        named = [fact for fact in found if fact.label]
        series = self._series(head, None)
        for fact in named[: MAX_OBSERVATIONS - self.chart.observed]:
            self.observe(series, self.unquote(str(fact.label)), fact)
        return bool(named)

    def observe(self, series: Series, label: str, fact: Fact) -> None:
        value = fact.value
        if fact.more:
            x: str | float = iso_date(label) or self._x_number(label)
            size = fact.more[0].value
            place = Observation(x, None if value is None else value.value, size=size)
            place.percent = bool(value and value.percent)
            series.observations.append(place)
            return
        if self.chart.kind == "point" and value is not None and number(label) is not None:
            place = Observation(self._x_number(label), value.value, percent=value.percent)
            series.observations.append(place)
            return
        seen = Observation(label, value.value if value else None)
        ends = fact.interval or ()
        seen.scale = value.scale if value else 1.0
        seen.percent = any(n.percent for n in (value, *ends) if n)
        if fact.interval is not None:
            seen.low, seen.high = (end.value for end in fact.interval)
        if fact.box:
            seen.box, seen.outliers, seen.percent = fact.box, fact.outliers, fact.percent
        kind = series.kind or self.chart.kind
        if kind != "point" or plain_number(label) is None:
            # Of two statements about one place the last counts.
            series.observations = [o for o in series.observations if o.x != label]
        series.observations.append(seen)

    def _x_number(self, label: str) -> str | float:
        found = number(label)
        if found is None:
            return label
        return found.value / 100 if found.percent and self.chart.x.percent else found.value

    def table(self, table: Table) -> None:
        """A markdown table: names in the first column, a series a further column."""
        self.chart.statements += 1
        head = [self.unquote(cell) for cell in table.head]
        chart = self.chart
        rows = [[self.unquote(cell) for cell in row] for row in table.rows]
        columns = range(1, len(head))
        if not columns:
            chart.ignored += 1
            return
        wide = len(head) > 2
        if not chart.x.title and head[0]:
            chart.x.title = head[0]
        if not wide and not chart.y.title:
            chart.y.title = head[1]
        for column in columns:
            series = self._series(head[column] if wide else self.head, None)
            for row in rows[: max(0, MAX_OBSERVATIONS - chart.observed)]:
                value = number(row[column]) if column < len(row) else None
                if value is None or not row[0]:
                    continue
                if chart.kind == "point" and plain_number(row[0]) is not None:
                    series.observations.append(Observation(plain_number(row[0]), value.value))
                elif chart.kind == "cell":
                    # The table's rows run along y.
                    self.observe(self._series(row[0], None), head[column], Fact(None, value))
                else:
                    self.observe(series, row[0], Fact(row[0], value))


def read(description: str) -> PlainChart:
    """What a description says about a chart, as far as the rules understand it."""
    chart = _Reader(description).read()
    chart.series = [series for series in chart.series if series.observations]
    return finished(chart)


def finished(chart: PlainChart) -> PlainChart:
    """The chart once all is read: places are numbers, dates or names, scales of words are one."""
    if chart.horizontal:
        # In words, x is the axis that lies, along which horizontal bars are measured.
        chart.x, chart.y = chart.y, chart.x
    if chart.kind is None and chart.series:
        kinds = [series.kind for series in chart.series if series.kind]
        if not kinds:
            # Numbers in a text that names no kind of chart are no chart.
            chart.series = []
            return chart
        chart.kind = kinds[0]
    seen = [o for series in chart.series for o in series.observations]
    worded = re.search(
        r"thousand|million|billion|trillion", f"{chart.y.title} {chart.right.title}", re.I
    )
    if seen and all(o.scale != 1.0 for o in seen) and not worded:
        for o in seen:
            o.y = None if o.y is None else o.y * o.scale
    for series in chart.series:
        axis = chart.right if series.right else chart.scale if chart.kind == "cell" else chart.y
        if axis.percent:
            for o in series.observations:
                _as_parts(o)
        series.observations = _placed(series, chart)
    return chart


def _as_parts(o: Observation) -> None:
    """Numbers written with % on an axis labelled in %: parts of 1."""
    if not o.percent:
        return
    o.y, o.low, o.high = (
        None if value is None else round(value / 100, 12) for value in (o.y, o.low, o.high)
    )
    o.box = tuple(round(value / 100, 12) for value in o.box)
    o.outliers = tuple(round(value / 100, 12) for value in o.outliers)


def _placed(series: Series, chart: PlainChart) -> list[Observation]:
    kind = series.kind or chart.kind
    observations = series.observations
    labels = [o.x for o in observations if isinstance(o.x, str)]
    if kind in ("arc", "rule", "box", "cell") or not labels or (chart.histogram and kind == "bar"):
        return [_bin(o) for o in observations] if chart.histogram else observations
    if len(labels) < len(observations):
        return observations
    dates = [iso_date(label) for label in labels]
    if all(dates):
        return [replace(o, x=day) for o, day in zip(observations, dates, strict=True)]
    named = kind == "bar" or (kind == "point" and chart.horizontal)
    if named or (
        any(label in chart.x.members for label in labels if not chart.x.ticks) and kind != "line"
    ):
        return observations
    if chart.x.members and chart.kind == "bar":
        return observations
    if chart.x.members and any(s.kind == "bar" for s in chart.series):
        return observations
    values = [plain_number(label) for label in labels]
    if None in values:
        values = _numbered(labels)
    if None in values or len(set(values)) < len(values):
        return observations
    listed_years = chart.x.members and set(labels) <= set(chart.x.members)
    if listed_years and not chart.x.ticks:
        return observations
    return [replace(o, x=value) for o, value in zip(observations, values, strict=True)]


def _numbered(labels: list[str]) -> list[float | None]:
    """`hour 0`, `hour 6`: numbers, where all labels have the same words before one."""
    parts = [re.fullmatch(r"(\D*?)\s*(-?\d+(?:\.\d+)?)", label.lower()) for label in labels]
    words = {part[1] for part in parts if part}
    return [float(part[2]) if part and len(words) == 1 else None for part in parts]


def _bin(o: Observation) -> Observation:
    if not isinstance(o.x, str):
        return o
    match = re.fullmatch(
        r"(?:[A-Za-z ]+ )?(-?[−\d.,]+%?)\s*(?:-|–|—|to)\s*(-?[−\d.,]+%?)", o.x.strip()
    )
    ends = [number(end) for end in match.groups()] if match else []
    if len(ends) == 2 and ends[0] and ends[1]:
        return replace(o, x=ends[0].value, x2=ends[1].value)
    return o
