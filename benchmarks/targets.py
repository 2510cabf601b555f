"""What a benchmark aims at, and how every benchmark tells whether it got there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    name: str
    value: float | None
    """None: not measured, since an anchor failed."""
    target: float
    most: bool = False
    """Whether the value must not exceed the target, rather than reach it."""

    @property
    def met(self) -> bool:
        if self.value is None:
            return False
        return self.value <= self.target if self.most else self.value >= self.target


def report(targets: Sequence[Target], as_json: bool) -> None:
    """A line a target; then, for programs, all of them as one line of JSON."""
    for one in targets:
        verdict, sign = "met   " if one.met else "MISSED", "<=" if one.most else ">="
        value = "not measured" if one.value is None else f"{one.value:.4g}"
        print(f"{verdict} {one.name}: {value} ({sign} {one.target:g})")
    if as_json:
        told = [
            {"name": one.name, "value": one.value, "target": one.target, "met": one.met}
            for one in targets
        ]
        print(json.dumps({"targets": told}))
