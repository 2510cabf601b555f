"""The search for vLLM's names: what one is used for, and what is said where it has moved."""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import operator
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from inward_rewards.vllm_plugin.settings import KEY

Parameters = tuple[str, ...]


@dataclass(frozen=True)
class Touch:
    """A class or function of vLLM's, and what of it is used."""

    owner: str
    """`module:name`."""
    use: str
    """What it is here for: what to look for where it has moved."""
    fields: tuple[str, ...] = ()
    """Attributes that its class shows: declared, or members."""
    sets: tuple[str, ...] = ()
    """Attributes that only its objects have."""
    calls: Mapping[str, Parameters] = field(default_factory=dict)
    """Methods that are called, or "" for the function itself: the arguments, in order."""
    overrides: Mapping[str, Parameters] = field(default_factory=dict)
    """Methods that a subclass takes the place of: all their parameters, in order."""


@dataclass(frozen=True)
class Process:
    name: str
    touches: tuple[Touch, ...]


def version() -> str:
    return importlib.metadata.version("vllm")


def check(process: Process) -> None:
    """RuntimeError that names the first of a process's names that this vLLM has moved."""
    for complaint in moved(process):
        raise RuntimeError(complaint)


def check_config(config: Any, paths: Iterable[str]) -> None:
    """RuntimeError that names what this `VllmConfig` lacks."""
    for path in paths:
        try:
            operator.attrgetter(path)(config)
        except AttributeError:
            raise RuntimeError(
                _complaint("front end", f"vllm.config:VllmConfig.{path}", "a server's flags")
            ) from None


def check_object(process: str, touch: Touch, found: Any) -> None:
    """RuntimeError that names what an object lacks that its constructor used to set."""
    for name in touch.sets:
        if not hasattr(found, name):
            raise RuntimeError(_complaint(process, f"{touch.owner}.{name}", touch.use))


def touch(process: Process, owner: str) -> Touch:
    return next(one for one in process.touches if one.owner.endswith(f":{owner}"))


def moved(process: Process) -> Iterator[str]:
    """One line for each name that this vLLM lacks, or that takes other arguments."""
    for one in process.touches:
        module, _, name = one.owner.partition(":")
        try:
            owner = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError):
            yield _complaint(process.name, one.owner, one.use)
            continue
        for lost in _lost(owner, one):
            yield _complaint(process.name, f"{one.owner}{lost}", one.use)


def _lost(owner: Any, one: Touch) -> Iterator[str]:
    for attribute in one.fields:
        if not _shows(owner, attribute):
            yield f".{attribute}"
    for calls, exactly in ((one.calls, False), (one.overrides, True)):
        for method, parameters in calls.items():
            function = getattr(owner, method, None) if method else owner
            written = f"{'.' if method else ''}{method}({', '.join(parameters)})"
            if function is None:
                yield written
            elif not _takes(function, parameters, exactly, of_class=bool(method)):
                yield f"{written}, which takes {inspect.signature(function)} now"


def _shows(owner: Any, name: str) -> bool:
    """Whether a class has a member, or declares an attribute, of this name."""
    declared: Iterable[str] = (
        declared
        for base in getattr(owner, "__mro__", ())
        for declared in (*vars(base).get("__annotations__", ()), *vars(base).get("__slots__", ()))
    )
    return hasattr(owner, name) or name in declared


def _takes(function: Any, parameters: Parameters, exactly: bool, of_class: bool) -> bool:
    """Whether a call with these arguments, in this order, means what it is meant to."""
    signature = inspect.signature(function)
    try:
        bound = signature.bind(*([None] * (of_class + len(parameters))))
    except TypeError:
        return False
    names = list(signature.parameters) if exactly else list(bound.arguments)
    return names[of_class:] == list(parameters)


def _complaint(process: str, what: str, use: str) -> str:
    return (
        f"inward: vLLM {version()} has no {what}, which the plugin needs in the {process}'s "
        f"process ({use}): install a version that docs/entropy.md names, start without "
        f"--additional-config {KEY!r}, or mend inward_rewards/vllm_plugin/compat"
    )


def base_of(bases: Mapping[str, str], name: str) -> Any:
    """The class of vLLM's whose subclass is called `name` in `bases`; None where none is."""
    for qualified, short in bases.items():
        if name == short:
            module, _, attribute = qualified.rpartition(".")
            return getattr(importlib.import_module(module), attribute)
    return None
