"""The program of the processes that read descriptions (`inward_rewards.sandbox`)."""

import json
from typing import Any

from inward_rewards.images.plain import read, specification
from inward_rewards.sandbox import Message

_WARM_UP = 'A line chart titled "Rain". The x-axis is titled "Year". "Oslo": 2020: 12, 2021: 30.'


def prepare() -> None:
    """The rules are compiled once, for all workers."""
    specification(read(_WARM_UP))


def start() -> None:
    pass


def answer(header: dict[str, Any], blobs: list[bytes]) -> Message:
    """`spec` as JSON text, None where nothing was understood, and how many statements there are."""
    chart = read(header["text"])
    spec = None if chart.empty else json.dumps(specification(chart))
    return {"spec": spec, "statements": chart.statements, "ignored": chart.ignored}, []
