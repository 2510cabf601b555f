"""Series that a strict reading does not tell apart: they are drawn nearly alike."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from inward_rewards.charts.reading.item import Item
from inward_rewards.charts.reading.values import Given

CLEAR_COLORS = 34.0
"""Distance in steps of 255 by which a strict reading tells series apart: that of their red, green
and blue as drawn on white. The nearest of Vega's set2 are 49 apart, and 34.3 as points, which are
drawn at an opacity of 0.7."""


def alike(items: list[Item]) -> set[tuple[str, Given]]:
    """The series, by scale, of whose colours as drawn one is nearly one of another's, or which have
    a symbol or a dash of another; and the places within a group that have their names."""
    looks: dict[str, set[tuple[Given, tuple[float, ...]]]] = defaultdict(set)
    forms: dict[tuple[str, str], set[Given]] = defaultdict(set)
    for item in items:
        opacity = min(1.0, item.element.opacity)
        on_white = tuple(255 - opacity * (255 - part) for part in item.look("color"))
        for look in ("color", "opacity", "shape", "strokeDash"):
            channel, name = item.channels.get(look), item.names.get(look)
            if channel is None or name is None:
                continue
            if look in ("color", "opacity"):
                looks[channel.scale].add((name, on_white))
            else:
                forms[channel.scale, str(item.item.get(look))].add(name)
    blurred = {
        (scale, name) for (scale, _), names in forms.items() if len(names) > 1 for name in names
    }
    for scale, found in looks.items():
        names = [name for name, _ in found]
        colors = np.array([color for _, color in found])
        for name, color in found:
            near = np.nonzero(np.linalg.norm(colors - color, axis=1) < CLEAR_COLORS)[0]
            if any(names[place] != name for place in near):
                blurred.add((scale, name))
    named = {name for _, name in blurred}
    return blurred | {
        (item.channels[offset].scale, name)
        for item in items
        for offset in ("xOffset", "yOffset")
        if (name := item.names.get(offset)) in named
    }
