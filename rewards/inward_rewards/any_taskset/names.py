"""What rewards a taskset has, as far as its classes and its config say it before a rollout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args, get_origin, get_type_hints

import verifiers.v1 as vf


def reward_names(taskset_id: str, config: vf.TaskConfig) -> tuple[list[str], bool]:
    """(names in order, whether the taskset can record no others).

    A reward records its own name, or the keys of what it returns: which of the two, its return
    annotation says. Where it has none, it may be either.
    """
    task_class = vf.task_type(taskset_id)
    methods = {
        name: getattr(task_class, name)
        for klass in task_class.__mro__
        for name, function in vars(klass).items()
        if callable(function) and hasattr(getattr(task_class, name), "reward")
    }
    names = {judge.name or judge.id for judge in config.judges}
    all_known = not names
    for name in methods.keys() | config.rewards.keys():
        entry = config.rewards.get(name)
        own = None if entry is not None and entry.fn else methods.get(name)
        keys = None if own is None else _keys(name, own)
        names |= {name} if keys is None else keys
        all_known = all_known and keys is not None
    return sorted(names), all_known


def _keys(name: str, function: Callable[..., Any]) -> set[str] | None:
    """Names that a reward records; None: its annotation does not say."""
    try:
        returned = get_type_hints(function).get("return")
    except NameError:
        return None
    if returned in (float, int, bool):
        return {name}
    origin, arguments = get_origin(returned), get_args(returned)
    if isinstance(origin, type) and issubclass(origin, Mapping) and arguments:
        key = arguments[0]
        return set(get_args(key)) if get_origin(key) is Literal else None
    return None
