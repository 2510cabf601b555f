"""Questions about a chart, made from what it shows: values, extremes, differences, trends.

The idea is CapRL's (arXiv 2509.22647): a description is worth what questions about the picture can
be answered from it alone. Here the questions and the answers follow from the table as drawn, so
that no model has to be believed. The surprise: the answer of a question is worked out by the same
code from the true table and from that of a drawing.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from inward_rewards.charts import Key, Row, Scene
from inward_rewards.images.answer_text import named, number_in, other_year, way_in

TOLERANCE = 0.05
"""How far a number may be off, in parts of what the values of its scale span."""
MARGIN = 0.1
"""By how much an extreme stands out, a difference is one and a trend goes, in the same parts: what
is nearer cannot be told by eye, or is right of every flat chart."""
NEAR = 0.01
"""Of the spread of the places: how far two of them may be apart that are one."""
SHARES = {"value": 0.5, "extreme": 0.2, "difference": 0.2, "trend": 0.1}
"""Of the questions by kind, where the chart has as many."""
DATE = re.compile(r"\d{4}(?:-|$)")
MIN_TREND = 4
"""Places of a line that has a trend."""

Kind = Literal["value", "lowest", "highest", "largest at", "smallest at", "difference", "trend"]
Answer = float | str
Group = tuple[Key, ...]
"""What the rows of one series share: all keys but the first."""


@dataclass(frozen=True)
class Question:
    """One question, and the right answer."""

    kind: Kind
    text: str
    keys: tuple[tuple[Key, ...], ...]
    """Of the rows that it is about: one, two for a difference, those of a series for the rest."""
    answer: Answer
    span: float
    """Of the scale of a number."""
    log: bool

    def right(self, given: Answer | None) -> bool:
        if given is None:
            return False
        if self.kind == "trend":
            return isinstance(given, str) and way_in(given) == self.answer
        if isinstance(self.answer, str):
            return isinstance(given, str) and named(given) == named(self.answer)
        number = given if isinstance(given, float) else number_in(given)
        if number is None:
            return False
        if self.kind in ("largest at", "smallest at"):
            places = [keys[0] for keys in self.keys if isinstance(keys[0], float)]
            return abs(number - self.answer) <= NEAR * (max(places) - min(places))
        if self.log:
            return number > 0 and abs(math.log(number / self.answer)) <= TOLERANCE * self.span
        return abs(number - self.answer) <= TOLERANCE * self.span


def questions_of(scene: Scene, count: int, seed: str) -> list[Question]:
    """Up to `count` questions about a chart, the same for the same seed, in an order of chance.

    Raises `ValueError` for a chart that shows no number.
    """
    scene.check_readable()
    rng = random.Random(seed)
    table = _Table(_measured(scene), shares="arc" in scene.marks)
    made = {
        "value": table.values(),
        "extreme": table.extremes(),
        "difference": table.differences(rng),
        "trend": table.trends() if {"line", "area"} & set(scene.marks) else [],
    }
    for found in made.values():
        rng.shuffle(found)
    # What the middle of the values answers says nothing of who gives it.
    made["value"] = [q for q in made["value"] if not table.blind(q)] or made["value"]
    chosen = [q for kind, found in made.items() for q in found[: round(SHARES[kind] * count)]]
    left = [q for found in made.values() for q in found if q not in chosen]
    chosen = (chosen + left)[:count]
    rng.shuffle(chosen)
    return chosen


def answers_of(drawn: Scene, questions: Sequence[Question]) -> list[Answer | None]:
    """What a drawing answers; None where it does not show it."""
    rows = _measured(drawn)
    tables = [_Table(rows), _Table([_turned(row) for row in rows])]
    return [
        next((found for table in tables if (found := table.answer(q)) is not None), None)
        for q in questions
    ]


class _Table:
    """Rows by what they are placed by."""

    def __init__(self, rows: Sequence[Row], *, shares: bool = False) -> None:
        self._rows: dict[tuple[Key, ...], list[Row]] = {}
        self._groups: dict[Group, list[tuple[Key, ...]]] = {}
        for row in rows:
            if row.keys not in self._rows:
                self._groups.setdefault(row.keys[1:], []).append(row.keys)
            self._rows.setdefault(row.keys, []).append(row)
        self._shares = shares
        self._names = {_plain(keys): keys for keys in self._rows}
        self._numeric: dict[Group, list[tuple[Key, ...]]] = {}
        for name, keys in self._names.items():
            if isinstance(keys[0], float):
                self._numeric.setdefault(name[1:], []).append(keys)
        spans = [row.span for row in rows if row.span]
        values = [row.value for row in rows]
        spread = max(values) - min(values) if values else 0.0
        self._default = max(spans, default=0.0) or spread or 1.0

    # questions

    def values(self) -> list[Question]:
        found = []
        for keys, rows in self._rows.items():
            where = self._where(keys)
            if len(rows) == 1:
                text = f"What is the {'share in per cent' if self._shares else 'value'} {where}?"
                found.append(self._asked("value", text, [keys], rows[0].value))
            else:
                for kind, choose in (("lowest", min), ("highest", max)):
                    text = f"What is the {kind} number that is drawn {where}?"
                    value = choose(row.value for row in rows)
                    found.append(self._asked(kind, text, [keys], value))  # type: ignore[arg-type]
        return found

    def blind(self, question: Question) -> bool:
        """Whether the middle of the values, or their mean, answers a question for one: of its
        series, or of all."""
        series = [
            row.value
            for keys in self._groups[question.keys[0][1:]]
            for row in self._rows[keys]
        ]  # fmt: skip
        all_ = [row.value for rows in self._rows.values() for row in rows]
        middles = [
            middle
            for values in (series, all_)
            for middle in (sum(values) / len(values), (min(values) + max(values)) / 2)
        ]
        return any(question.right(middle) for middle in middles)

    def extremes(self) -> list[Question]:
        found = []
        for group, members in self._groups.items():
            ranked = self._single(members)
            if len(ranked) < 3:
                continue
            ranked.sort(key=lambda keys: self._value(keys))
            for kind, best, next_ in (
                ("largest at", ranked[-1], ranked[-2]),
                ("smallest at", ranked[0], ranked[1]),
            ):
                (span, log), one, other = self._scale(best), self._value(best), self._value(next_)
                gap = abs(math.log(one / other)) if log else abs(one - other)
                if gap >= MARGIN * span:
                    text = f"Where is the {kind[:-3]} value{self._of(group)}?"
                    found.append(self._asked(kind, text, ranked, best[0]))  # type: ignore[arg-type]
        return found

    def differences(self, rng: random.Random) -> list[Question]:
        found = []
        for members in self._groups.values():
            single = self._single(members)
            rng.shuffle(single)
            for one, other in zip(single[::2], single[1::2], strict=False):
                high, low = sorted((one, other), key=self._value, reverse=True)
                gap, (span, log) = self._value(high) - self._value(low), self._scale(high)
                if log or gap < MARGIN * span:
                    continue
                text = (
                    f"By how much is the value {self._where(high)} greater than {self._where(low)}?"
                )
                found.append(self._asked("difference", text, [high, low], gap))
        return found

    def trends(self) -> list[Question]:
        found = []
        for group, members in self._groups.items():
            ordered = self._ordered(members)
            if len(ordered) < MIN_TREND:
                continue
            way = self._way(ordered)
            if way is not None:
                text = f"Does the value{self._of(group)} rise or fall from first to last?"
                found.append(self._asked("trend", text, ordered, way))
        return found

    # answers

    def answer(self, question: Question) -> Answer | None:
        keys = [self._found(one) for one in question.keys]
        if question.kind == "trend":
            known = [one for one in keys if one is not None]
            return self._way(known) if len(known) >= MIN_TREND else None
        if None in keys and question.kind in ("value", "lowest", "highest", "difference"):
            return None
        present = [one for one in keys if one is not None]
        if question.kind in ("value", "lowest"):
            return min(row.value for row in self._rows[present[0]])
        if question.kind == "highest":
            return max(row.value for row in self._rows[present[0]])
        if question.kind == "difference":
            return self._value(present[0]) - self._value(present[1])
        places = {asked[0]: own for asked, own in zip(question.keys, keys, strict=True) if own}
        return self._extreme(places, question)

    def _extreme(self, places: dict[Key, tuple[Key, ...]], question: Question) -> Answer | None:
        """Where the extreme is, of at least half of the places, if it is at one of them."""
        if 2 * len(places) < len(question.keys):
            return None
        values = {asked: self._value(own) for asked, own in places.items()}
        extreme = max(values.values()) if question.kind == "largest at" else min(values.values())
        at = [asked for asked, value in values.items() if value == extreme]
        return at[0] if len(at) == 1 else None

    def _found(self, keys: tuple[Key, ...]) -> tuple[Key, ...] | None:
        """The row that is placed as `keys` say: names but for case and spaces, numbers nearly,
        a year on an axis of numbers or of dates."""
        exact = self._names.get(_plain(keys))
        if exact is None and (other := other_year(keys[0])) is not None:
            exact = self._names.get((other, *_plain(keys[1:])))
        if exact is not None:
            return exact
        if not isinstance(keys[0], float):
            return None
        near = self._numeric.get(_plain(keys[1:]))
        if near is None:
            return None
        places = [own[0] for own in near if isinstance(own[0], float)]
        best = min(near, key=lambda own: abs(float(own[0]) - float(keys[0])))
        reach = NEAR * (max(places) - min(places))
        return best if abs(float(best[0]) - keys[0]) <= reach else None

    # parts

    def _asked(
        self, kind: Kind, text: str, keys: Sequence[tuple[Key, ...]], answer: Answer
    ) -> Question:
        span, log = self._scale(keys[0])
        return Question(kind, text, tuple(keys), answer, span, log and kind != "difference")

    def _single(self, members: list[tuple[Key, ...]]) -> list[tuple[Key, ...]]:
        return [keys for keys in members if len(self._rows[keys]) == 1]

    def _ordered(self, members: list[tuple[Key, ...]]) -> list[tuple[Key, ...]]:
        """The places of a series in their order, where they have one."""
        single = self._single(members)
        if all(isinstance(keys[0], float) for keys in single):
            return sorted(single, key=lambda keys: float(keys[0]))
        dated = all(isinstance(keys[0], str) and DATE.match(keys[0]) for keys in single)
        return sorted(single, key=lambda keys: str(keys[0])) if dated else []

    def _way(self, ordered: list[tuple[Key, ...]]) -> str | None:
        """`rises` or `falls`; None where neither can be told."""
        change = self._value(ordered[-1]) - self._value(ordered[0])
        span, log = self._scale(ordered[0])
        if log or abs(change) < MARGIN * span:
            return None
        return "rises" if change > 0 else "falls"

    def _value(self, keys: tuple[Key, ...]) -> float:
        return self._rows[keys][0].value

    def _scale(self, keys: tuple[Key, ...]) -> tuple[float, bool]:
        row = self._rows[keys][0]
        return row.span or self._default, row.log

    def _where(self, keys: tuple[Key, ...]) -> str:
        return f"at {self._told(keys[0])}{self._of(keys[1:])}"

    def _of(self, group: Group) -> str:
        return f" of {', '.join(map(self._told, group))}" if group else ""

    def _told(self, key: Key) -> str:
        if isinstance(key, float):
            return f"{key:.4g}"
        if DATE.match(key) and all(DATE.match(str(keys[0])) for keys in self._rows):
            days = {str(keys[0])[4:] for keys in self._rows}
            # No finer than they differ.
            key = key[:4] if days <= {"", "-01", "-01-01"} else key[: 7 if _firsts(days) else None]
        return f'"{key}"'


def _measured(scene: Scene) -> list[Row]:
    """Rows to ask for: sectors in per cent, and without the sizes of points, which are placed by
    the value of another row."""
    points = {(row.keys[0], row.value) for row in scene.rows if row.keys}
    rows = [row for row in scene.rows if row.keys and row.keys[:2] not in points]
    if "arc" not in scene.marks:
        return rows
    return [replace(row, value=100 * row.value, span=100 * (row.span or 0)) for row in rows]


def _firsts(days: set[str]) -> bool:
    """Whether all are the first of a month."""
    return all(len(day) <= 3 or day[3:] == "-01" for day in days)


def _turned(row: Row) -> Row:
    """With the first two keys exchanged, as a description may have them."""
    return Row((*row.keys[1::-1], *row.keys[2:]), row.value, row.span, row.log)


def _plain(keys: tuple[Key, ...]) -> tuple[Key, ...]:
    return tuple(named(key) if isinstance(key, str) else key for key in keys)
