"""What is known while a description is read."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from inward_rewards.images.plain.chart import PlainChart, Series
from inward_rewards.images.plain.text import Text

Unquote = Callable[[str], str]


@dataclass
class State:
    """The chart so far, and the words that later statements may refer to."""

    text: Text
    chart: PlainChart = field(default_factory=PlainChart)
    heads: list[tuple[int, str]] = field(default_factory=list)
    """Open headings of a nested list: indentation and name, empty where it names no series."""
    axis: str = ""
    """x, y or right, where a heading opened an axis, and its indentation."""
    axis_indent: int = 0
    talk: int | None = None
    """The indentation of a heading such as `Key observations`: below it no number is read."""
    panel: str = ""
    header: str = ""
    """A heading that may be the title."""
    opening: str = ""
    """The first words, where they say nothing else: they may be too."""
    subjects: set[str] = field(default_factory=set)
    """Series named by the subject of a sentence."""
    subject: str = ""
    """The last of them, which `it` may mean."""
    pending: list[str] = field(default_factory=list)
    """Names without numbers yet."""
    boxes: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    """Numbers of boxes by name and part, as lists tell them one by one."""
    by_head: dict[tuple[str, str], Series] = field(default_factory=dict)

    def unquote(self, text: str) -> str:
        return self.text.unquoted(text)

    @property
    def head(self) -> str:
        return next((name for _, name in reversed(self.heads) if name), "")

    def names(self) -> list[str]:
        """Of series that are known so far."""
        told = [*self.chart.legend, *(series.name for series in self.chart.series)]
        return [name for name in dict.fromkeys(told) if name]


def same_name(name: str, known: list[str]) -> str:
    """The one of `known` that is `name` but for capitals, an article or a plural; else `name`."""
    if name in known:
        return name
    plain = _plain(name)
    return next((other for other in known if plain and _plain(other) == plain), name)


@functools.lru_cache(4096)
def _plain(name: str) -> str:
    return re.sub(r"^(?:the|a|an) |['’]s$", "", name.lower()).removesuffix("s")
