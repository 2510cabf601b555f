"""Whatever vLLM moves is named: the name, the process that uses it, what to look for."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from inward_rewards.vllm_plugin.compat import search
from inward_rewards.vllm_plugin.compat.search import Process, Touch


class Parent:
    annotated: int

    @property
    def computed(self):
        return 1

    def ask(self, question, loudly=False):
        return question


class Child(Parent):
    own: str


class Row(NamedTuple):
    column: int


@dataclasses.dataclass
class Data:
    listed: list = dataclasses.field(default_factory=list)


class Slots:
    __slots__ = ("kept",)


def answer(question):
    return question


@pytest.fixture(autouse=True)
def version(monkeypatch):
    monkeypatch.setattr(search, "version", lambda: "0.0.0")


def complaints(owner: str, **wanted) -> list[str]:
    touch = Touch(f"{__name__}:{owner}", "answers questions", **wanted)
    return list(search.moved(Process("engine core", (touch,))))


@pytest.mark.parametrize(
    ("owner", "field"),
    [
        ("Parent", "annotated"),
        ("Parent", "computed"),
        ("Child", "annotated"),
        ("Child", "own"),
        ("Row", "column"),
        ("Data", "listed"),
        ("Slots", "kept"),
    ],
)
def test_a_field_is_found_however_it_is_declared(owner, field):
    assert complaints(owner, fields=(field,)) == []
    [complaint] = complaints(owner, fields=(field, "absent"))
    assert complaint.startswith(f"inward: vLLM 0.0.0 has no {__name__}:{owner}.absent, which")
    assert "in the engine core's process (answers questions)" in complaint
    assert "\n" not in complaint


@pytest.mark.parametrize(
    ("owner", "calls", "fits"),
    [
        ("Parent", {"ask": ("question",)}, True),
        ("Parent", {"ask": ("question", "loudly")}, True),
        ("Parent", {"ask": ()}, False),  # it wants more than that
        ("Parent", {"ask": ("riddle",)}, False),  # its first argument is another
        ("Parent", {"ask": ("question", "loudly", "twice")}, False),
        ("Parent", {"tell": ()}, False),
        ("answer", {"": ("question",)}, True),
        ("answer", {"": ("riddle",)}, False),
        ("Data", {"": ()}, True),
    ],
)
def test_a_call_must_mean_the_same(owner: str, calls: Mapping[str, tuple[str, ...]], fits: bool):
    assert (complaints(owner, calls=calls) == []) == fits


@pytest.mark.parametrize(
    ("parameters", "fits"),
    [(("question", "loudly"), True), (("question",), False), (("loudly", "question"), False)],
)
def test_an_override_must_take_all_that_its_base_takes(parameters, fits):
    found = complaints("Parent", overrides={"ask": parameters})
    assert (found == []) == fits
    for complaint in found:
        assert "which takes (self, question, loudly=False) now" in complaint


@pytest.mark.parametrize("owner", [f"{__name__}:Absent", "no.such.module:Parent"])
def test_a_class_that_is_gone_is_named(owner):
    process = Process("worker", (Touch(owner, "is here", fields=("annotated",)),))
    with pytest.raises(RuntimeError, match=f"has no {owner}, which the plugin needs in the worker"):
        search.check(process)


def test_an_object_that_lost_an_attribute_is_named():
    touch = Touch("vllm:Request", "a request", sets=("request_id",))
    search.check_object("engine core", touch, SimpleNamespace(request_id="a"))
    with pytest.raises(RuntimeError, match=r"no vllm:Request\.request_id, which .* \(a request\)"):
        search.check_object("engine core", touch, SimpleNamespace())


@pytest.mark.slow
def test_the_installed_vllm_has_every_name(vllm_python, plugin):
    from rewards.vllm.server import environment

    done = subprocess.run(
        [vllm_python, Path(__file__).parent / "moved.py"],
        env=environment(plugin),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found == [], "\n".join(found)
